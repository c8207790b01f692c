import type { EventOf, QueuedEvent, SessionErrorDetail, StopReason } from "../schemas/event.ts";
import { usageAt } from "../sessions/transition.ts";
import { stageUnanswered } from "./call-model.ts";
import { startedCalls } from "./loop.ts";
import { INTERRUPTED, rejectedResult, type ToolResult } from "./tool-result.ts";
import { isOurs } from "./turn-view.ts";
import type { Turn } from "./turn.ts";

/** Stages the events that begin a turn, unless one is under way. */
export function stageRunning(turn: Turn): void {
  if (turn.state.status === "running") return;
  turn.stage({ type: "session.status_running" });
  turn.stage({ type: "session.thread_status_running", ...threadOf(turn) });
}

/**
 * Commits the end of the turn, or that it waits, and gives the lease back.
 * @param held events that may stay in the inbox
 * @returns false when somebody sent something in the meantime: the turn goes on then
 */
export function commitIdle(turn: Turn, stopReason: StopReason, held = 0): Promise<boolean> {
  return turn.commitIdle(() => stageIdle(turn, stopReason), held);
}

/** Stages the events that end a turn. Committed by themselves they keep the lease, for more that is known to wait. */
export function stageIdle(turn: Turn, stopReason: StopReason): void {
  const refusal = { type: "refusal" as const, category: null, explanation: null };
  const idle = { stop_reason: stopReason, stop_details: stopReason.type === "refusal" ? refusal : null };
  turn.stage({ type: "session.thread_status_idle", ...threadOf(turn), ...idle });
  turn.stage({ type: "session.usage", usage: usageAt(turn.state, new Date()), budget: null });
  turn.stage({ type: "session.status_idle", ...idle });
}

/**
 * Stages an end for the request that was opened and for every call that has no result.
 * @param result of calls that may have run
 */
export function closeOpen(turn: Turn, { isError, result }: { isError: boolean; result: ToolResult }): void {
  const { view } = turn;
  if (view.openRequestId) stageUnanswered(turn, view.openRequestId, isError);
  const started = new Set(startedCalls(view));
  for (const call of view.unresolvedCalls) {
    if (!isOurs(call)) {
      // In the place of its client, so that a client that comes late sees that nobody waits for it.
      turn.stage({ type: "user.custom_tool_result", custom_tool_use_id: call.id, ...INTERRUPTED });
      continue;
    }
    const confirmation = view.confirmations.get(call.id);
    const rejected = confirmation?.result === "deny" ? rejectedResult(confirmation.deny_message) : null;
    const closing = rejected ?? (started.has(call) ? result : INTERRUPTED);
    turn.stage({ type: "agent.tool_result", tool_use_id: call.id, ...closing });
  }
}

/** Stages the results of calls that people refused. */
export function stageRejections(turn: Turn, confirmations: readonly EventOf<"user.tool_confirmation">[]): void {
  for (const { tool_use_id, deny_message } of confirmations) {
    turn.stage({ type: "agent.tool_result", tool_use_id, ...rejectedResult(deny_message) });
  }
}

/**
 * Stages what an interrupt does: whatever is open is closed, then the interrupt and what came before it are taken up. A
 * session that waited for people is idle again at once, in the same commit: nothing would go on with it otherwise.
 */
export function stageInterrupt(turn: Turn, taken: readonly QueuedEvent[]): void {
  const waited = turn.view.announcedCalls.length > 0;
  const take = (type: QueuedEvent["type"]) => {
    const events = taken.filter((event) => event.type === type);
    for (const event of events) turn.take(event);
    return events.length;
  };
  take("user.tool_confirmation");
  take("user.custom_tool_result");
  closeOpen(turn, { isError: false, result: INTERRUPTED });
  if (take("user.message") > 0) stageRunning(turn);
  take("user.interrupt");
  if (waited && turn.state.status === "idle") stageIdle(turn, { type: "end_turn" });
}

/** Commits a pause after which any harness tries again, and gives the lease back. */
export async function commitRescheduled(turn: Turn, error: SessionErrorDetail, wakeAt: Date): Promise<void> {
  turn.stage({ type: "session.error", error });
  turn.stage({ type: "session.status_rescheduled" });
  turn.stage({ type: "session.thread_status_rescheduled", ...threadOf(turn) });
  await turn.commit({ wakeAt });
}

function threadOf(turn: Turn) {
  return { agent_name: turn.lease.agent.name, session_thread_id: turn.lease.threadId };
}
