import { newId } from "../../src/ids.ts";
import type { SessionEvent, StopReason, TurnErrorDetail } from "../../src/schemas/event.ts";
import type { EventLog } from "../../src/sessions/event-log.ts";
import { INITIAL_STATE } from "../../src/sessions/transition.ts";

/** Plays the harness's part by hand: a test says what happens in a session, and it is in the log as if a harness had run. */
export function createPlayedTurns(eventLog: EventLog) {
  const commit = async (sessionId: string, events: SessionEvent[], taken: string[] = []) => {
    const running = events.at(-1)?.type !== "session.status_idle";
    await eventLog.append({
      fence: { sessionId, epoch: 0 },
      events: events.map((event) => ({ event })),
      state: { ...INITIAL_STATE, status: running ? "running" : "idle" },
      taken,
    });
  };
  return {
    /** Takes up what waits in the inbox; returns it. */
    async takeUp(sessionId: string) {
      const inbox = await eventLog.inbox(sessionId);
      const events = inbox.map((event) => ({ ...event, processed_at: now() }));
      await commit(
        sessionId,
        [...events, event("session.status_running", {})],
        inbox.map(({ id }) => id),
      );
      return inbox;
    },
    commit: (sessionId: string, ...events: SessionEvent[]) => commit(sessionId, events),
    idle: (sessionId: string, reason: StopReason["type"] = "end_turn") => commit(sessionId, [idleEvent(reason)]),
    preview: (sessionId: string, eventId: string, text: string) => {
      eventLog.preview(sessionId, { type: "event_start", event: { type: "agent.message", id: eventId } }, 0);
      const delta = { type: "content_delta", index: 0, content: { type: "text", text } } as const;
      eventLog.preview(sessionId, { type: "event_delta", event_id: eventId, delta }, 1);
    },
  };
}

export const said = (text: string): SessionEvent => event("agent.message", { content: [{ type: "text", text }] });

export const tool = (name: string, input: Record<string, unknown>): SessionEvent =>
  event("agent.tool_use", { name, input, evaluated_permission: "allow" });

/** A call that people have to allow first. */
export const asked = (name: string, input: Record<string, unknown>): SessionEvent =>
  event("agent.tool_use", { name, input, evaluated_permission: "ask", evaluation: { type: "always_ask" } });

/** Stands still until people have decided on these calls. */
export const waitsFor = (...calls: SessionEvent[]): SessionEvent =>
  event("session.status_idle", {
    stop_reason: { type: "requires_action", event_ids: calls.map(({ id }) => id) },
    stop_details: null,
  });

export const confirmed = (call: SessionEvent, result: "allow" | "deny"): SessionEvent =>
  event("user.tool_confirmation", { tool_use_id: call.id, result });

export const failure = (type: TurnErrorDetail["type"], retry: "retrying" | "exhausted" | "terminal"): SessionEvent =>
  event("session.error", { error: { type, message: "raw words of the model's API", retry_status: { type: retry } } });

export const requestEnd = (tokens: number): SessionEvent =>
  event("span.model_request_end", {
    model_request_start_id: newId("sevt"),
    is_error: false,
    model_usage: { input_tokens: tokens, output_tokens: 0, cache_creation_input_tokens: 0, cache_read_input_tokens: 0 },
  });

export const userMessageEvent = (text: string): SessionEvent =>
  event("user.message", { content: [{ type: "text", text }] });

export const interruptEvent = (): SessionEvent => event("user.interrupt", {});

export function idleEvent(reason: StopReason["type"] = "end_turn"): SessionEvent {
  const stopReason: StopReason = reason === "requires_action" ? { type: reason, event_ids: [] } : { type: reason };
  return event("session.status_idle", { stop_reason: stopReason, stop_details: null });
}

export function event<Type extends SessionEvent["type"]>(
  type: Type,
  fields: Omit<Extract<SessionEvent, { type: Type }>, "id" | "type" | "processed_at">,
): SessionEvent {
  return { id: newId("sevt"), type, processed_at: now(), ...fields } as SessionEvent;
}

const now = () => new Date().toISOString();
