import type { LoggedEvent } from "../sessions/event-log.ts";
import type { ClientResultBlock } from "../schemas/content.ts";
import type { EventOf, ModelUsage, SessionEvent } from "../schemas/event.ts";

const CHARS_PER_TOKEN = 3;
/** Of an image, or of a short document. */
const ATTACHMENT_TOKENS = 2_000;

export type ToolUse = EventOf<"agent.tool_use">;
/** A call of a tool that a client runs. */
export type CustomToolUse = EventOf<"agent.custom_tool_use">;
export type Confirmation = EventOf<"user.tool_confirmation">;

/** What a log says about the turn under way. */
export interface TurnView {
  /** Somebody waits for the model's answer: a message or a tool result came after its last one. */
  owesAnswer: boolean;
  openRequestId: string | null;
  /** Calls without a result. */
  unresolvedCalls: (ToolUse | CustomToolUse)[];
  /** What people decided on unresolved calls, by the call's id. The first word counts. */
  confirmations: ReadonlyMap<string, Confirmation>;
  /** Calls that an idle session told clients it waits for. */
  announcedCalls: string[];
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

export const EMPTY_VIEW: TurnView = {
  owesAnswer: false,
  openRequestId: null,
  unresolvedCalls: [],
  confirmations: new Map(),
  announcedCalls: [],
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
    case "user.tool_confirmation":
      return afterConfirmation(view, event);
    case "session.status_running":
      return { ...view, announcedCalls: [] };
    case "session.status_idle":
      return afterIdle(view, event);
    case "session.error":
      return isRetried(event.error) ? { ...view, failedAttempts: view.failedAttempts + 1 } : view;
    case "span.model_request_start":
      return { ...view, openRequestId: event.id };
    case "span.model_request_end":
      return afterRequest({ ...view, openRequestId: null }, event);
    case "agent.message":
      return { ...view, compactions: 0 };
    case "agent.tool_use":
    case "agent.custom_tool_use": {
      const first = view.unresolvedCalls.length === 0;
      return {
        ...view,
        unresolvedCalls: [...view.unresolvedCalls, event],
        toolRounds: view.toolRounds + (first ? 1 : 0),
        compactions: 0,
      };
    }
    case "agent.tool_result":
      return afterResult(view, event.tool_use_id, event.content);
    case "user.custom_tool_result":
      return afterResult(view, event.custom_tool_use_id, event.content ?? []);
    case "agent.thread_context_compacted":
      return { ...view, owesAnswer: true, compactions: view.compactions + 1, contextTokens: 0 };
    default:
      return view;
  }
}

export function viewOf(events: readonly LoggedEvent[]): TurnView {
  return events.reduce((view, { event }) => advance(view, event), EMPTY_VIEW);
}

/** Whether a call is one that the harness runs. Pure. */
export const isOurs = (call: ToolUse | CustomToolUse): call is ToolUse => call.type === "agent.tool_use";

/** Calls that somebody must decide on and nobody did yet, and those whose results clients owe. Pure. */
export function waitingCalls({ unresolvedCalls, confirmations }: TurnView): (ToolUse | CustomToolUse)[] {
  return unresolvedCalls.filter(
    (call) => !isOurs(call) || (call.evaluated_permission === "ask" && !confirmations.has(call.id)),
  );
}

/** What is missing in the sandbox is tried again too, but the turn goes on meanwhile. */
function isRetried(error: EventOf<"session.error">["error"]): boolean {
  return error.retry_status.type === "retrying" && !("repository_url" in error) && !("credential_id" in error);
}

/** A turn that waits for people is not over. */
function afterIdle(view: TurnView, { stop_reason }: EventOf<"session.status_idle">): TurnView {
  if (stop_reason.type === "requires_action") return { ...view, announcedCalls: stop_reason.event_ids };
  const { contextTokens, unresolvedCalls, confirmations, openRequestId } = view;
  return { ...EMPTY_VIEW, contextTokens, unresolvedCalls, confirmations, openRequestId };
}

function afterConfirmation(view: TurnView, event: Confirmation): TurnView {
  const waits = waitingCalls(view).some((call) => isOurs(call) && call.id === event.tool_use_id);
  if (!waits) return view;
  return { ...view, confirmations: new Map([...view.confirmations, [event.tool_use_id, event]]) };
}

function afterResult(view: TurnView, callId: string, content: readonly ClientResultBlock[]): TurnView {
  const confirmations = new Map(view.confirmations);
  confirmations.delete(callId);
  return {
    ...view,
    owesAnswer: true,
    unresolvedCalls: view.unresolvedCalls.filter((call) => call.id !== callId),
    confirmations,
    contextTokens: view.contextTokens + estimateTokens(content),
  };
}

function afterRequest(view: TurnView, event: EventOf<"span.model_request_end">): TurnView {
  if (event.is_error) return view;
  // A request that was stopped counted nothing, and a model may not count at all: the estimate stands then.
  const contextTokens = tokensOf(event.model_usage) || view.contextTokens;
  return { ...view, owesAnswer: false, failedAttempts: 0, contextTokens };
}

/** On the high side, so that a request is made smaller before the model refuses it. */
function estimateTokens(content: readonly ClientResultBlock[]): number {
  return content.reduce((total, block) => {
    if (block.type === "search_result") return total + estimateTokens(block.content);
    return total + (block.type === "text" ? Math.ceil(block.text.length / CHARS_PER_TOKEN) : ATTACHMENT_TOKENS);
  }, 0);
}

function tokensOf(usage: ModelUsage): number {
  return usage.input_tokens + usage.cache_creation_input_tokens + usage.cache_read_input_tokens + usage.output_tokens;
}
