import { type Confirmation, isOurs, type ToolUse, type TurnView, waitingCalls } from "./turn-view.ts";

/** What the harness does next. */
export type Step =
  /** A model request was opened by a harness that died: close it, then look again. */
  | { type: "close_request"; startId: string }
  | { type: "run_tools"; calls: ToolUse[] }
  /** People have decided on all calls, and these they refused. */
  | { type: "reject_calls"; confirmations: Confirmation[] }
  /** Nothing can be done until people decide on these calls, or clients give their results. */
  | { type: "wait_for_clients"; callIds: string[] }
  | { type: "compact" }
  | { type: "call_model" }
  | { type: "limit_reached"; limit: "tool_use" | "compaction" }
  | { type: "go_idle" };

export interface LoopLimits {
  toolRoundsMax: number;
  compactionsMax: number;
  /** The context is compacted before it grows past this. */
  contextTokensMax: number;
}

/** Pure: the same log always leads to the same step, whichever harness asks. */
export function nextStep(view: TurnView, limits: LoopLimits): Step {
  if (view.openRequestId !== null) return { type: "close_request", startId: view.openRequestId };
  if (view.unresolvedCalls.length > 0) return stepOfCalls(view);
  if (!view.owesAnswer) return { type: "go_idle" };
  if (view.toolRounds >= limits.toolRoundsMax) return { type: "limit_reached", limit: "tool_use" };
  if (view.contextTokens <= limits.contextTokensMax) return { type: "call_model" };
  if (view.compactions >= limits.compactionsMax) return { type: "limit_reached", limit: "compaction" };
  return { type: "compact" };
}

/**
 * Calls that an earlier harness may have started, when this is all that it wrote: those that it would run next. A call
 * that people decide on is not among them while another call of its answer waits. Pure.
 */
export function startedCalls(view: TurnView): ToolUse[] {
  if (view.unresolvedCalls.length === 0) return [];
  const step = stepOfCalls(view);
  return step.type === "run_tools" ? step.calls : [];
}

/** What needs nobody runs at once; what needs people waits until they have decided on all, and no client's result is due. */
function stepOfCalls(view: TurnView): Step {
  const { unresolvedCalls, confirmations } = view;
  const ours = unresolvedCalls.filter(isOurs);
  const unasked = ours.filter((call) => call.evaluated_permission !== "ask");
  if (unasked.length > 0) return { type: "run_tools", calls: unasked };
  const waiting = waitingCalls(view);
  if (waiting.length > 0) return { type: "wait_for_clients", callIds: waiting.map((call) => call.id) };
  const refusals = [...confirmations.values()].filter(({ result }) => result === "deny");
  if (refusals.length > 0) return { type: "reject_calls", confirmations: refusals };
  return { type: "run_tools", calls: ours };
}
