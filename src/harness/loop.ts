import type { LoggedEvent } from "../sessions/event-log.ts";
import type { ContentBlock } from "../schemas/content.ts";
import type { EventOf, ModelUsage, SessionEvent } from "../schemas/event.ts";

const CHARS_PER_TOKEN = 3;
/** Of an image, or of a short document. */
const ATTACHMENT_TOKENS = 2_000;

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
  /** The user stopped this turn, and nothing was sent since. */
  interrupted: boolean;
  /** Failures that were to be tried again, since the last good model request or the start of the turn. */
  failedAttempts: number;
  /** Model requests with tool calls in this turn. */
  toolRounds: number;
  /** Compactions since the model last answered. */
  compactions: number;
  /** About what the next request will hold: the last good one, its answer, and an estimate of what came since. */
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
  interrupted: false,
  failedAttempts: 0,
  toolRounds: 0,
  compactions: 0,
  contextTokens: 0,
};

/** The view after one more event. Pure. */
export function advance(view: TurnView, event: SessionEvent): TurnView {
  switch (event.type) {
    case "user.message":
      return {
        ...view,
        owesAnswer: true,
        interrupted: false,
        contextTokens: view.contextTokens + estimateTokens(event.content),
      };
    case "user.interrupt":
      return { ...view, owesAnswer: false, interrupted: true };
    case "session.status_idle":
      return { ...view, owesAnswer: false, interrupted: false, failedAttempts: 0, toolRounds: 0, compactions: 0 };
    case "session.error":
      return event.error.retry_status.type === "retrying" ? { ...view, failedAttempts: view.failedAttempts + 1 } : view;
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
      return {
        ...view,
        owesAnswer: true,
        unresolvedCalls: left,
        contextTokens: view.contextTokens + estimateTokens(event.content),
      };
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
  if (event.is_error) return view;
  // A request that was stopped counted nothing, and a model may not count at all: the estimate stands then.
  const contextTokens = tokensOf(event.model_usage) || view.contextTokens;
  return { ...view, owesAnswer: false, failedAttempts: 0, contextTokens };
}

/** On the high side, so that a request is made smaller before the model refuses it. */
function estimateTokens(content: readonly ContentBlock[]): number {
  return content.reduce(
    (total, block) =>
      total + (block.type === "text" ? Math.ceil(block.text.length / CHARS_PER_TOKEN) : ATTACHMENT_TOKENS),
    0,
  );
}

function tokensOf(usage: ModelUsage): number {
  return usage.input_tokens + usage.cache_creation_input_tokens + usage.cache_read_input_tokens + usage.output_tokens;
}
