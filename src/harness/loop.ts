import type { LoggedEvent } from "../sessions/event-log.ts";
import type { EventOf, ModelUsage, SessionEvent } from "../schemas/event.ts";

/** What the harness does next. */
export type Step =
  /** A model request was opened by a harness that died: close it, then look again. */
  | { type: "close_request"; startId: string }
  | { type: "run_tools"; calls: EventOf<"agent.tool_use">[] }
  | { type: "compact" }
  | { type: "call_model" }
  | { type: "limit_reached"; limit: "tool_use" | "compaction" }
  | { type: "go_idle" };

/** What a log says about the turn under way. */
export interface TurnView {
  /** Somebody waits for the model's answer: a message or a tool result came after its last one. */
  owesAnswer: boolean;
  openRequestId: string | null;
  unresolvedCalls: EventOf<"agent.tool_use">[];
  /** Failed model requests since the last good one or the start of the turn. */
  failedAttempts: number;
  /** Model requests with tool calls in this turn. */
  toolRounds: number;
  /** Compactions since the model last answered. */
  compactions: number;
  /** Tokens of the last good request and its answer: about what the next request will hold. */
  contextTokens: number;
}

export interface LoopLimits {
  toolRoundsMax: number;
  compactionsMax: number;
  /** The context is compacted before it grows past this. */
  contextTokensMax: number;
}

export const EMPTY_VIEW: TurnView = {
  owesAnswer: false,
  openRequestId: null,
  unresolvedCalls: [],
  failedAttempts: 0,
  toolRounds: 0,
  compactions: 0,
  contextTokens: 0,
};

/** The view after one more event. Pure. */
export function advance(view: TurnView, event: SessionEvent): TurnView {
  switch (event.type) {
    case "user.message":
      return { ...view, owesAnswer: true };
    case "user.interrupt":
      return { ...view, owesAnswer: false };
    case "session.status_idle":
      return { ...view, owesAnswer: false, failedAttempts: 0, toolRounds: 0, compactions: 0 };
    case "span.model_request_start":
      return { ...view, openRequestId: event.id };
    case "span.model_request_end":
      return afterRequest({ ...view, openRequestId: null }, event);
    case "agent.message":
      return { ...view, compactions: 0 };
    case "agent.tool_use": {
      const first = view.unresolvedCalls.length === 0;
      return {
        ...view,
        unresolvedCalls: [...view.unresolvedCalls, event],
        toolRounds: view.toolRounds + (first ? 1 : 0),
        compactions: 0,
      };
    }
    case "agent.tool_result": {
      const left = view.unresolvedCalls.filter((call) => call.id !== event.tool_use_id);
      return { ...view, owesAnswer: true, unresolvedCalls: left };
    }
    case "agent.thread_context_compacted":
      return { ...view, owesAnswer: true, compactions: view.compactions + 1, contextTokens: 0 };
    default:
      return view;
  }
}

export function viewOf(events: readonly LoggedEvent[]): TurnView {
  return events.reduce((view, { event }) => advance(view, event), EMPTY_VIEW);
}

/** Pure: the same log always leads to the same step, whichever harness asks. */
export function nextStep(view: TurnView, limits: LoopLimits): Step {
  if (view.openRequestId !== null) return { type: "close_request", startId: view.openRequestId };
  if (view.unresolvedCalls.length > 0) return { type: "run_tools", calls: view.unresolvedCalls };
  if (!view.owesAnswer) return { type: "go_idle" };
  if (view.toolRounds >= limits.toolRoundsMax) return { type: "limit_reached", limit: "tool_use" };
  if (view.contextTokens <= limits.contextTokensMax) return { type: "call_model" };
  if (view.compactions >= limits.compactionsMax) return { type: "limit_reached", limit: "compaction" };
  return { type: "compact" };
}

function afterRequest(view: TurnView, event: EventOf<"span.model_request_end">): TurnView {
  if (event.is_error) return { ...view, failedAttempts: view.failedAttempts + 1 };
  return {
    ...view,
    owesAnswer: false,
    failedAttempts: 0,
    contextTokens: tokensOf(event.model_usage),
  };
}

function tokensOf(usage: ModelUsage): number {
  return (
    usage.input_tokens + usage.cache_creation_input_tokens + usage.cache_read_input_tokens + usage.output_tokens
  );
}
