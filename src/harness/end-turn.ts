import type { QueuedEvent, SessionErrorDetail, StopReason } from "../schemas/event.ts";
import { usageAt } from "../sessions/transition.ts";
import { stageUnanswered } from "./call-model.ts";
import { INTERRUPTED, type ToolResult } from "./tool-result.ts";
import type { Turn } from "./turn.ts";

/** Stages the events that begin a turn, unless one is under way. */
export function stageRunning(turn: Turn): void {
  if (turn.state.status === "running") return;
  turn.stage({ type: "session.status_running" });
  turn.stage({ type: "session.thread_status_running", ...threadOf(turn) });
}

/**
 * Commits the end of the turn and gives the lease back.
 * @returns false when somebody sent something in the meantime: the turn goes on then
 */
export function commitIdle(turn: Turn, stopReason: StopReason): Promise<boolean> {
  return turn.commitIdle(() => stageIdle(turn, stopReason));
}

/** Stages the events that end a turn. Committed by themselves they keep the lease, for more that is known to wait. */
export function stageIdle(turn: Turn, stopReason: StopReason): void {
  const refusal = { type: "refusal" as const, category: null, explanation: null };
  const idle = { stop_reason: stopReason, stop_details: stopReason.type === "refusal" ? refusal : null };
  turn.stage({ type: "session.thread_status_idle", ...threadOf(turn), ...idle });
  turn.stage({ type: "session.usage", usage: usageAt(turn.state, new Date()), budget: null });
  turn.stage({ type: "session.status_idle", ...idle });
}

/** Stages an end for the request that was opened and for every call that has no result. */
export function closeOpen(turn: Turn, { isError, result }: { isError: boolean; result: ToolResult }): void {
  if (turn.view.openRequestId) stageUnanswered(turn, turn.view.openRequestId, isError);
  for (const call of turn.view.unresolvedCalls) {
    turn.stage({ type: "agent.tool_result", tool_use_id: call.id, ...result });
  }
}

/** Stages what an interrupt does: whatever is open is closed, then the interrupt and what came before it are taken up. */
export function stageInterrupt(turn: Turn, taken: readonly QueuedEvent[]): void {
  closeOpen(turn, { isError: false, result: INTERRUPTED });
  const messages = taken.filter((event) => event.type !== "user.interrupt");
  for (const event of messages) turn.take(event);
  if (messages.length > 0) stageRunning(turn);
  for (const event of taken) if (event.type === "user.interrupt") turn.take(event);
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
