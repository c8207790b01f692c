import { LeaseLostError, messageOf } from "../errors.ts";
import type { Logger } from "../log.ts";
import { ModelError } from "../models/model-provider.ts";
import type { SandboxProvider } from "../sandbox/sandbox.ts";
import type { SandboxStore } from "../sandbox/sandbox-store.ts";
import type { SessionErrorDetail } from "../schemas/event.ts";
import type { EventLog, LoggedEvent } from "../sessions/event-log.ts";
import type { Lease, Leases } from "../sessions/lease.ts";
import type { Wakeups } from "../sessions/wakeups.ts";
import type { CrashPoint } from "./crash-points.ts";
import { commitIdle } from "./end-turn.ts";
import { startHeartbeat } from "./heartbeat.ts";
import { planIntake } from "./intake.ts";
import type { FindModel } from "./model-request.ts";
import type { RetryPolicy } from "./retry.ts";
import type { SessionFiles } from "./session-files.ts";
import { SessionSandbox } from "./session-sandbox.ts";
import { TurnSignals } from "./signals.ts";
import { runSteps } from "./steps.ts";
import { Turn } from "./turn.ts";

export interface HarnessDeps {
  log: EventLog;
  leases: Leases;
  wakeups: Wakeups;
  files: SessionFiles;
  findModel: FindModel;
  sandboxes: { provider: SandboxProvider; store: SandboxStore; image: string };
  /** Asks for the session to be looked at again; only a hint, so it may be lost. */
  hint(sessionId: string, delayMs: number): Promise<void>;
  retry: RetryPolicy;
  leaseMs: number;
  /** Names this process in the lease. */
  owner: string;
  crashPoint: CrashPoint;
  logger: Logger;
}

/** One harness's hold on one session. `signals` is replaced whenever an interrupt was dealt with. */
export interface Run {
  deps: HarnessDeps;
  turn: Turn;
  sandbox: SessionSandbox;
  signals: TurnSignals;
  /** Calls that an earlier harness committed, and may have started. */
  orphans: ReadonlySet<string>;
  /** An earlier harness began this turn. */
  resumed: boolean;
  logger: Logger;
}

const READ_LIMIT = 1_000;

/**
 * Takes the lease, goes on from the log until the session is idle or must wait, and gives the lease back. Does nothing
 * when another harness has the session or there is nothing to do. Safe to call for any session at any time.
 * @param stopping when it aborts, the session is handed over: whoever looks next goes on
 */
export async function runSession(deps: HarnessDeps, sessionId: string, stopping: AbortSignal): Promise<void> {
  const lease = await deps.leases.acquire(sessionId, deps.owner);
  if (!lease) return;
  if (await mustWait(deps, lease)) return deps.leases.release(lease.fence);

  const run = await openRun(deps, lease);
  const stop = () => run.signals.cut("stopping");
  const heartbeat = await startHeartbeat({ ...deps, logger: run.logger }, lease, () => run.signals);
  stopping.addEventListener("abort", stop);
  try {
    if (stopping.aborted) stop();
    await runSteps(run);
  } catch (error) {
    await onFailure(run, error);
  } finally {
    stopping.removeEventListener("abort", stop);
    heartbeat.stop();
    await run.sandbox.forget();
  }
}

/** Between two tries at the model only an interrupt is attended to. */
async function mustWait({ log }: HarnessDeps, lease: Lease): Promise<boolean> {
  if (lease.state.status !== "rescheduling" || !lease.wakeAt || lease.wakeAt.getTime() <= Date.now()) return false;
  return !planIntake(await log.inbox(lease.fence.sessionId)).interrupted;
}

async function openRun(deps: HarnessDeps, lease: Lease): Promise<Run> {
  const { sessionId } = lease.fence;
  const turn = new Turn(lease, deps.log, await readContext(deps.log, sessionId));
  const session = { sessionId, workspaceId: lease.workspaceId };
  return {
    deps,
    turn,
    sandbox: new SessionSandbox({ ...deps.sandboxes, files: deps.files }, session),
    signals: new TurnSignals(),
    orphans: new Set(turn.view.unresolvedCalls.map((call) => call.id)),
    resumed: lease.state.status !== "idle",
    logger: deps.logger.child({ session_id: sessionId, lease_epoch: lease.fence.epoch }),
  };
}

async function readContext(log: EventLog, sessionId: string): Promise<LoggedEvent[]> {
  const events: LoggedEvent[] = [];
  let after = Math.max(0, (await log.lastSeqOf(sessionId, "agent.thread_context_compacted")) - 1);
  for (;;) {
    const batch = await log.read(sessionId, after, READ_LIMIT);
    events.push(...batch);
    after = batch.at(-1)?.seq ?? after;
    if (batch.length < READ_LIMIT) return events;
  }
}

async function onFailure(run: Run, error: unknown): Promise<void> {
  const { deps, logger, signals, turn } = run;
  if (error instanceof LeaseLostError || signals.reason === "lease_lost") {
    logger.warn("lease lost, another harness goes on");
    return;
  }
  if (signals.reason === "stopping") {
    await deps.leases.release(turn.lease.fence);
    await deps.hint(turn.sessionId, 0);
    return;
  }
  logger.error({ err: error }, "turn failed");
  await endBroken(run, error);
}

/** An error that nobody expected ends the turn, or the session would be picked up and fail for ever. */
async function endBroken({ turn, deps }: Run, cause: unknown): Promise<void> {
  const error: SessionErrorDetail = {
    type: cause instanceof ModelError ? cause.type : "unknown_error",
    message: `The turn could not go on: ${messageOf(cause)}`,
    retry_status: { type: "exhausted" },
  };
  turn.stage({ type: "session.error", error });
  if (await commitIdle(turn, { type: "retries_exhausted" })) return;
  await turn.commit();
  await deps.leases.release(turn.lease.fence);
  await deps.hint(turn.sessionId, 0);
}
