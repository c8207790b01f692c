import type { EventPreview, SessionEvent } from "./session-events.ts";
import { requestTokens, sessionUsage } from "./session-usage.ts";
import { addError, endTurn, howItEnded, interruptTurn } from "./turn-end.ts";
import { buildInTurn } from "./turn-build.ts";
import { addSaid, addTool } from "./turn-steps.ts";
import { decideInTurn, waitInTurn } from "./turn-waiting.ts";
import { answers, beginTurn, goOn, type Progress, type Turn } from "./turn.ts";

/** Pure: the turn after this event, and what follows from it. Events that say nothing to a person change nothing. */
export function fold(before: Turn | null, event: SessionEvent): Progress {
  const running = before?.endedAt === null ? before : null;
  switch (event.type) {
    case "user.message":
      if (!running) return { turn: beginTurn(event), outcomes: [] };
      // The answer to what was asked before, when a message came in between.
      return { turn: { ...running, said: [] }, outcomes: answers(running) };
    case "session.status_running":
      return { turn: running ? { ...goOn(running, event), note: null } : beginTurn(event), outcomes: [] };
    case "user.interrupt":
      return interruptTurn(running, event);
    case "user.tool_confirmation":
      return decideInTurn(running, event);
    case "agent.message":
      return { turn: running && addSaid(running, event.id, textOf(event.content)), outcomes: [] };
    case "agent.tool_use":
    case "agent.mcp_tool_use":
    case "agent.custom_tool_use":
      return { turn: running && addTool(running, event), outcomes: [] };
    case "deckhand.environment_build":
      return { turn: running && buildInTurn(running, event), outcomes: [] };
    case "session.usage":
      return { turn: running && { ...running, usage: sessionUsage(event.usage) }, outcomes: [] };
    case "span.model_request_end":
      return {
        turn: running && { ...running, tokens: running.tokens + requestTokens(event.model_usage) },
        outcomes: [],
      };
    case "agent.thread_context_compacted":
      return {
        turn: running && { ...running, note: "Summing up the earlier part of the conversation." },
        outcomes: [],
      };
    case "session.status_rescheduled":
      return { turn: running && { ...running, draft: null }, outcomes: [] };
    case "session.error":
      return addError(running, event);
    case "session.status_idle":
      if (event.stop_reason.type === "requires_action" && running?.interrupted !== true)
        return waitInTurn(running, event, event.stop_reason.event_ids);
      return endTurn(running, event, howItEnded(running, event.stop_reason.type));
    case "session.status_terminated":
      return endTurn(running, event, "terminated");
    default:
      return { turn: running, outcomes: [] };
  }
}

/** Pure: the turn with what the agent is writing right now. */
export function foldPreview(turn: Turn | null, preview: EventPreview): Turn | null {
  if (!turn || turn.endedAt !== null) return turn;
  if (preview.type === "event_start") {
    return preview.event.type === "agent.message" ? { ...turn, draft: { eventId: preview.event.id, text: "" } } : turn;
  }
  if (turn.draft?.eventId !== preview.event_id || preview.delta.content.type !== "text") return turn;
  return { ...turn, draft: { eventId: preview.event_id, text: turn.draft.text + preview.delta.content.text } };
}

function textOf(content: { type: string; text?: string }[]): string {
  return content.map((block) => block.text ?? "").join("");
}
