import type { EnvironmentShapes } from "../environments/environment-images.ts";
import { LeaseLostError, messageOf } from "../errors.ts";
import type { Logger } from "../log.ts";
import type { SandboxProvider } from "../sandbox/sandbox.ts";
import type { SandboxStore } from "../sandbox/sandbox-store.ts";
import type { EventLog, LoggedEvent } from "../sessions/event-log.ts";
import type { Lease, Leases } from "../sessions/lease.ts";
import type { Wakeups } from "../sessions/wakeups.ts";
import type { CrashPoint } from "./crash-points.ts";
import type { DeniedRequests } from "./denied-requests.ts";
import { rescheduleOrGiveUp } from "./failure.ts";
import { startHeartbeat } from "./heartbeat.ts";
import { planIntake } from "./intake.ts";
import { startedCalls } from "./loop.ts";
import type { FindModel } from "./model-request.ts";
import type { RetryPolicy } from "./retry.ts";
import type { SessionEquipment } from "./session-equipment.ts";
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
  sandboxes: { provider: SandboxProvider; store: SandboxStore; environments: EnvironmentShapes };
  equipment: SessionEquipment;
  deniedRequests: DeniedRequests;
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
  /** Events that the last look into the inbox left there: they wait until people have decided on the open calls. */
  heldCount: number;
  logger: Logger;
}

/** What a step leaves behind: go on, or the lease has been given back. */
export type Outcome = "go_on" | "released";

const READ_LIMIT = 1_000;

/**
 * Takes the lease, goes on from the log until the session is idle or must wait, and gives the lease back. Does nothing
 * when another harness has the session or there is nothing to do. Safe to call for any session at any time.
 * @param stopping when it aborts, the session is handed over: whoever looks next goes on
 */
export async function runSession(deps: HarnessDeps, sessionId: string, stopping: AbortSignal): Promise<void> {
  // Asked side by side: a compaction that comes in between makes the context longer than it need be, not wrong.
  const [lease, compactedAt] = await Promise.all([
    deps.leases.acquire(sessionId, deps.owner),
    deps.log.lastSeqOf(sessionId, "agent.thread_context_compacted"),
  ]);
  if (!lease) return;
  if (await mustWait(deps, lease)) return deps.leases.release(lease.fence);

  const first = new TurnSignals();
  let run: Run | null = null;
  const signals = () => run?.signals ?? first;
  // Before the log is read: a long one may take longer than a lease lasts.
  const heartbeat = await startHeartbeat(deps, lease.fence, signals);
  const stop = () => signals().cut("stopping");
  stopping.addEventListener("abort", stop);
  try {
    run = await openRun(deps, lease, compactedAt, first);
    if (stopping.aborted) stop();
    await goOn(run);
  } finally {
    stopping.removeEventListener("abort", stop);
    heartbeat.stop();
    await run?.sandbox.forget();
  }
}

async function goOn(run: Run): Promise<void> {
  try {
    await runSteps(run);
  } catch (error) {
    await onFailure(run, error);
  }
}

/** Between two tries at the model only an interrupt is attended to. */
async function mustWait({ log }: HarnessDeps, lease: Lease): Promise<boolean> {
  if (lease.state.status !== "rescheduling" || !lease.wakeAt || lease.wakeAt.getTime() <= Date.now()) return false;
  return !planIntake(await log.inbox(lease.fence.sessionId), false).interrupted;
}

async function openRun(deps: HarnessDeps, lease: Lease, compactedAt: number, signals: TurnSignals): Promise<Run> {
  const { sessionId } = lease.fence;
  const turn = new Turn(lease, deps.log, await readContext(deps.log, sessionId, compactedAt));
  const session = { sessionId, workspaceId: lease.workspaceId };
  return {
    deps,
    turn,
    sandbox: new SessionSandbox({ ...deps.sandboxes, files: deps.files, equipment: deps.equipment }, session),
    signals,
    orphans: new Set(startedCalls(turn.view).map((call) => call.id)),
    resumed: lease.state.status !== "idle",
    heldCount: 0,
    logger: deps.logger.child({ session_id: sessionId, lease_epoch: lease.fence.epoch }),
  };
}

async function readContext(log: EventLog, sessionId: string, compactedAt: number): Promise<LoggedEvent[]> {
  const events: LoggedEvent[] = [];
  let after = Math.max(0, compactedAt - 1);
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
  // Nobody expected this. It may pass, as a database that restarts does; if it does not, the turn ends, or the session
  // would be picked up and fail for ever. When not even that can be committed, the lease runs out and somebody looks again.
  logger.error({ err: error }, "turn failed");
  await rescheduleOrGiveUp(
    run,
    { type: "unknown_error", message: `The turn could not go on: ${messageOf(error)}` },
    { retryable: true, retryAfterMs: null },
  );
}
