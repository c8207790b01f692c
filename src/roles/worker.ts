import { NO_CRASH, type CrashPoint } from "../harness/crash-points.ts";
import { DEFAULT_RETRY, type RetryPolicy } from "../harness/retry.ts";
import { type HarnessDeps, runSession } from "../harness/run-session.ts";
import type { SandboxProvider, SandboxShape } from "../sandbox/sandbox.ts";
import { createSandboxStore } from "../sandbox/sandbox-store.ts";
import { createLeases } from "../sessions/lease.ts";
import { createMountStore } from "../sessions/mount-store.ts";
import { startSandboxReaper } from "../../workers/reap-sandboxes.ts";
import { startSweeper } from "../../workers/sweep.ts";
import { createHarnessFiles } from "./harness-files.ts";
import type { Platform } from "./platform.ts";

export interface WorkerOptions {
  sandboxes: { provider: SandboxProvider; shape: SandboxShape };
  crashPoint?: CrashPoint;
  retry?: RetryPolicy;
}

export interface RunningWorker {
  /** Hands running sessions over and waits until this process has let go of them. */
  stop(): Promise<void>;
}

/** Runs sessions: takes hints from the queue and, whatever becomes of those, finds work in the database. */
export async function startWorker(platform: Platform, options: WorkerOptions): Promise<RunningWorker> {
  const { config, database, eventLog, queue, log } = platform;
  const store = createSandboxStore(database.pool);
  const leases = createLeases(database.pool, config.leaseMs);
  const deps: HarnessDeps = {
    log: eventLog,
    leases,
    wakeups: platform.wakeups,
    files: createHarnessFiles(createMountStore(database.pool), platform.files),
    findModel: platform.models.find,
    sandboxes: { ...options.sandboxes, store },
    hint: (sessionId, delayMs) => platform.hintRun(sessionId, delayMs),
    retry: options.retry ?? DEFAULT_RETRY,
    leaseMs: config.leaseMs,
    owner: platform.processId,
    crashPoint: options.crashPoint ?? NO_CRASH,
    logger: log,
  };
  const worker = await queue.work("run-session", ({ session_id }, signal) => runSession(deps, session_id, signal), {
    concurrency: config.workerConcurrency,
  });
  const sweeper = startSweeper({ leases, hintRun: platform.hintRun, leaseMs: config.leaseMs, log });
  const reaper = startSandboxReaper({ provider: options.sandboxes.provider, store, log });
  return {
    async stop() {
      await Promise.all([sweeper.stop(), reaper.stop()]);
      await worker.stop();
    },
  };
}
