import { newId } from "../../src/ids.ts";
import type { EventOf, ModelUsage, SessionEvent, StopReason } from "../../src/schemas/event.ts";
import type { LoggedEvent } from "../../src/sessions/event-log.ts";
import { INITIAL_STATE, type SessionState } from "../../src/sessions/transition.ts";

/** Events for tests, with what a test does not care about filled in. */
const stamp = () => ({ id: newId("sevt"), processed_at: new Date().toISOString() });

export const NO_USAGE: ModelUsage = {
  input_tokens: 0,
  output_tokens: 0,
  cache_creation_input_tokens: 0,
  cache_read_input_tokens: 0,
};

export const userMessage = (text: string): EventOf<"user.message"> => ({
  ...stamp(),
  type: "user.message",
  content: [{ type: "text", text }],
});

export const interrupt = (): EventOf<"user.interrupt"> => ({ ...stamp(), type: "user.interrupt" });

export const agentMessage = (text: string): EventOf<"agent.message"> => ({
  ...stamp(),
  type: "agent.message",
  content: [{ type: "text", text }],
});

export const plain = <
  Type extends
    | "session.status_running"
    | "session.status_rescheduled"
    | "session.status_terminated"
    | "span.model_request_start"
    | "agent.thinking"
    | "agent.thread_context_compacted",
>(
  type: Type,
) => ({ ...stamp(), type });

export const requestEnd = (
  startId: string,
  isError = false,
  usage: Partial<ModelUsage> = {},
): EventOf<"span.model_request_end"> => ({
  ...stamp(),
  type: "span.model_request_end",
  model_request_start_id: startId,
  is_error: isError,
  model_usage: { ...NO_USAGE, ...usage },
});

export const toolUse = (
  name = "bash",
  input: Record<string, unknown> = { command: "ls" },
): EventOf<"agent.tool_use"> => ({
  ...stamp(),
  type: "agent.tool_use",
  name,
  input,
});

/** A call that people must decide on. */
export const askedUse = (): EventOf<"agent.tool_use"> => ({
  ...toolUse(),
  evaluated_permission: "ask",
  evaluation: { type: "always_ask" },
});

export const customUse = (): EventOf<"agent.custom_tool_use"> => ({
  ...stamp(),
  type: "agent.custom_tool_use",
  name: "look_up",
  input: {},
});

export const customResult = (
  callId: string,
  answer: Partial<EventOf<"user.custom_tool_result">> = {},
): EventOf<"user.custom_tool_result"> => ({
  ...stamp(),
  type: "user.custom_tool_result",
  custom_tool_use_id: callId,
  ...answer,
});

export const confirmation = (
  toolUseId: string,
  result: "allow" | "deny" = "allow",
): EventOf<"user.tool_confirmation"> => ({
  ...stamp(),
  type: "user.tool_confirmation",
  tool_use_id: toolUseId,
  result,
});

export const toolResult = (toolUseId: string, text = "ok", isError = false): EventOf<"agent.tool_result"> => ({
  ...stamp(),
  type: "agent.tool_result",
  tool_use_id: toolUseId,
  content: [{ type: "text", text }],
  is_error: isError,
});

export const statusIdle = (stopReason: StopReason = { type: "end_turn" }): EventOf<"session.status_idle"> => ({
  ...stamp(),
  type: "session.status_idle",
  stop_reason: stopReason,
  stop_details: null,
});

export const sessionError = (retry: "retrying" | "exhausted"): EventOf<"session.error"> => ({
  ...stamp(),
  type: "session.error",
  error: { type: "unknown_error", message: "it failed", retry_status: { type: retry } },
});

export const logged = (events: readonly SessionEvent[]): LoggedEvent[] =>
  events.map((event, index) => ({ seq: index + 1, event, private: null }));

export const stateOf = (status: SessionState["status"]): SessionState => ({ ...INITIAL_STATE, status });
