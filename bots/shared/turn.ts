import type { StatusStep } from "./chat-surface.ts";
import type { SessionEvent } from "./session-events.ts";
import type { SessionUsage } from "./session-usage.ts";

/** A tool call that a person has to allow first. */
export interface Ask {
  /** Of the `agent.tool_use` or `agent.mcp_tool_use` event. */
  toolUseId: string;
  toolName: string;
  input: Record<string, unknown>;
}

/** What is known of a turn that runs, waits or has just ended. */
export interface Turn {
  /** Id of its first event, so that it is the same in every attempt to deliver it. */
  id: string;
  /** The time it waited for people is not counted: it moves on by as much. */
  startedAt: number;
  /** Since when it waits for a person; null while it doesn't. */
  waitingSince: number | null;
  endedAt: number | null;
  steps: StatusStep[];
  /** What is installed before the step under way can go on; stopped when that failed. */
  build: StatusStep | null;
  tokens: number;
  note: string | null;
  /** What the agent said since its last tool call: the answer, unless another tool call follows. */
  said: { id: string; text: string }[];
  draft: { eventId: string; text: string } | null;
  interrupted: boolean;
  /** Calls that were asked for and not decided on. */
  asks: Ask[];
  /** Null until the server has said it. */
  usage: SessionUsage | null;
}

export type TurnEnd = "done" | "stopped" | "failed" | "refused" | "terminated";
export type SessionError = Extract<SessionEvent, { type: "session.error" }>["error"];

/** What has to be brought into the thread. */
export type Outcome =
  | { type: "answer"; id: string; text: string }
  /** `build`: it is of packages that could not be installed. */
  | { type: "error"; id: string; error: SessionError; build: boolean }
  /** The session knows how this call was decided on, by whomever. */
  | { type: "decided"; ask: Ask; decision: "allow" | "deny" }
  /** Nobody needs to decide on this call any more. */
  | { type: "moot"; ask: Ask }
  /**
   * The turn stands still until people have decided on `turn.asks`. `elsewhere`: it waits for something that can't be given
   * in a chat, such as the result of a client's own tool.
   */
  | { type: "waiting"; eventId: string; elsewhere: boolean }
  /** Always the last outcome of its turn. */
  | { type: "ended"; eventId: string; at: string; how: TurnEnd };

export interface Progress {
  /** Null between turns. A turn that ended is shown once more, with `endedAt` set; one that waits is not over. */
  turn: Turn | null;
  outcomes: Outcome[];
}

/** Pure: a turn that this event begins. */
export function beginTurn(event: SessionEvent): Turn {
  return {
    id: event.id,
    startedAt: timeOf(event),
    endedAt: null,
    steps: [],
    build: null,
    tokens: 0,
    note: null,
    said: [],
    draft: null,
    interrupted: false,
    waitingSince: null,
    asks: [],
    usage: null,
  };
}

/** Pure: the turn at work again: the time it stood still does not count as its own. */
export function goOn(turn: Turn, event: SessionEvent): Turn {
  if (turn.waitingSince === null) return turn;
  const waitedMs = Math.max(0, timeOf(event) - turn.waitingSince);
  return { ...turn, startedAt: turn.startedAt + waitedMs, waitingSince: null };
}

/** Pure: what the agent said last, to be brought into the thread. */
export function answers(turn: Turn): Outcome[] {
  return turn.said.map(({ id, text }) => ({ type: "answer", id, text }));
}

/** Pure: calls that nobody needs to decide on any more. */
export function moot(asks: Ask[]): Outcome[] {
  return asks.map((ask) => ({ type: "moot", ask }));
}

/** Pure: in ms since the epoch; NaN for one that is not processed yet. */
export function timeOf(event: SessionEvent): number {
  return "processed_at" in event && typeof event.processed_at === "string"
    ? Date.parse(event.processed_at)
    : Number.NaN;
}
