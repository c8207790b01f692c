import type { SessionEvent } from "./session-events.ts";
import { answers, beginTurn, goOn, moot, type Progress, timeOf, type Turn } from "./turn.ts";

/** Pure: the turn in which somebody has decided. Some of several decisions leave it waiting for the others. */
export function decideInTurn(
  turn: Turn | null,
  event: Extract<SessionEvent, { type: "user.tool_confirmation" }>,
): Progress {
  const { tool_use_id: toolUseId } = event;
  const decided = turn?.asks.find((ask) => ask.toolUseId === toolUseId);
  if (!turn || !decided) return { turn, outcomes: [] };
  const asks = turn.asks.filter((ask) => ask !== decided);
  const next = { ...turn, asks };
  return {
    turn: asks.length === 0 ? goOn(next, event) : next,
    outcomes: [{ type: "decided", ask: decided, decision: event.result }],
  };
}

/**
 * Pure: the turn that waits for people to decide on these events. What the session does not name any more was decided on in a
 * way the log doesn't tell.
 */
export function waitInTurn(before: Turn | null, event: SessionEvent, eventIds: string[]): Progress {
  const turn = before ?? beginTurn(event);
  const asks = turn.asks.filter(({ toolUseId }) => eventIds.includes(toolUseId));
  const gone = turn.asks.filter((ask) => !asks.includes(ask));
  const elsewhere = asks.length < eventIds.length || asks.length === 0;
  return {
    turn: { ...turn, asks, waitingSince: turn.waitingSince ?? timeOf(event), said: [], draft: null, note: null },
    outcomes: [...answers(turn), ...moot(gone), { type: "waiting", eventId: event.id, elsewhere }],
  };
}
