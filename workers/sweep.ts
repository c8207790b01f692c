import type { Logger } from "../src/log.ts";
import type { Leases } from "../src/sessions/lease.ts";
import { type PeriodicTask, startPeriodic } from "./periodic.ts";

const SWEEPS_PER_LEASE = 5;
const SESSIONS_PER_SWEEP = 200;

export interface SweeperDeps {
  leases: Pick<Leases, "abandoned">;
  hintRun(sessionId: string): Promise<void>;
  leaseMs: number;
  log: Logger;
}

/**
 * Finds sessions with work to do that nobody is at (their hint was lost, or their harness died) and hints again. Any
 * number of sweepers may run: a second hint does nothing.
 */
export function startSweeper({ leases, hintRun, leaseMs, log }: SweeperDeps): PeriodicTask {
  const sweep = async () => {
    const sessionIds = await leases.abandoned(SESSIONS_PER_SWEEP);
    await Promise.all(sessionIds.map((sessionId) => hintRun(sessionId)));
  };
  return startPeriodic("sweep", leaseMs / SWEEPS_PER_LEASE, sweep, log);
}
