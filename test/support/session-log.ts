import { newId } from "../../src/ids.ts";
import type { EventOf, SessionEvent } from "../../src/schemas/event.ts";
import type { EventLog } from "../../src/sessions/event-log.ts";
import { INITIAL_STATE } from "../../src/sessions/transition.ts";

type Plain = "session.status_running" | "agent.thinking" | "span.model_request_start";

const NEVER_LEASED = 0;

export function plainEvent(type: Plain): EventOf<Plain> {
  return { id: newId("sevt"), type, processed_at: new Date().toISOString() };
}

export const agentMessage = (text: string): EventOf<"agent.message"> => ({
  id: newId("sevt"),
  type: "agent.message",
  processed_at: new Date().toISOString(),
  content: [{ type: "text", text }],
});

/** Writes events as a harness would, to a session that none has taken yet. */
export async function append(
  { eventLog }: { eventLog: EventLog },
  sessionId: string,
  given: (Plain | "session.status_idle" | SessionEvent)[],
): Promise<SessionEvent[]> {
  const events = given.map(toEvent);
  const fence = { sessionId, epoch: NEVER_LEASED };
  await eventLog.append({ fence, events: events.map((event) => ({ event })), state: INITIAL_STATE });
  return events;
}

function toEvent(given: Plain | "session.status_idle" | SessionEvent): SessionEvent {
  if (typeof given !== "string") return given;
  if (given !== "session.status_idle") return plainEvent(given);
  return {
    id: newId("sevt"),
    type: given,
    processed_at: new Date().toISOString(),
    stop_reason: { type: "end_turn" },
    stop_details: null,
  };
}
