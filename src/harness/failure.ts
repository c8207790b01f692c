import { LeaseLostError, messageOf } from "../errors.ts";
import type { QueuedEvent, TurnErrorDetail } from "../schemas/event.ts";
import { deliverOutputs } from "./deliver-outputs.ts";
import { closeOpen, commitRescheduled, stageIdle, stageRunning } from "./end-turn.ts";
import { retryDelayMs } from "./retry.ts";
import type { Run } from "./run-session.ts";
import { OUTCOME_UNKNOWN } from "./tool-result.ts";

type Failure = Pick<TurnErrorDetail, "type" | "message">;

/** Gives the lease back: for a pause when another try is due, for good when there were enough. */
export async function rescheduleOrGiveUp(
  run: Run,
  failure: Failure,
  { retryable, retryAfterMs }: { retryable: boolean; retryAfterMs: number | null },
): Promise<void> {
  const { turn, deps } = run;
  const delayMs = retryable
    ? retryDelayMs(deps.retry, turn.view.failedAttempts + 1, retryAfterMs, Math.random())
    : null;
  if (delayMs === null) return giveUp(run, failure);
  stageRunning(turn);
  await commitRescheduled(turn, { ...failure, retry_status: { type: "retrying" } }, new Date(Date.now() + delayMs));
  // An interrupt that came meanwhile is not kept waiting.
  if (turn.queuedCount > 0) await deps.hint(turn.sessionId, 0);
  await deps.hint(turn.sessionId, delayMs);
}

/** The turn is dead. What waits in the inbox is taken into the log: the next message starts afresh with it in view. */
export async function giveUp(run: Run, failure: Failure): Promise<void> {
  const { turn, deps } = run;
  await deliverWhatIsThere(run);
  stageRunning(turn);
  let inbox: QueuedEvent[] = [];
  const end = () => {
    // Results of open calls come before those calls are closed: no call gets two.
    for (const event of inbox) if (isResult(event)) turn.take(event);
    closeOpen(turn, { isError: true, result: OUTCOME_UNKNOWN });
    turn.stage({ type: "session.error", error: { ...failure, retry_status: { type: "exhausted" } } });
    for (const event of inbox) if (!isResult(event)) turn.take(event);
    stageIdle(turn, { type: "retries_exhausted" });
  };
  while (!(await turn.commitIdle(end))) {
    inbox = (await deps.log.inbox(turn.sessionId)).filter((event) => !turn.hasTaken(event));
  }
}

const isResult = (event: QueuedEvent) => event.type === "user.custom_tool_result";

/** Half of the work is better than none; whatever keeps it back is not why the turn ends. */
async function deliverWhatIsThere(run: Run): Promise<void> {
  try {
    await deliverOutputs(run);
  } catch (error) {
    if (error instanceof LeaseLostError) throw error;
    run.logger.warn({ error: messageOf(error) }, "outputs of a failed turn not delivered");
  }
}
