import type { Logger } from "../src/log.ts";
import type { Leases } from "../src/sessions/lease.ts";
import { type PeriodicTask, startPeriodic } from "./periodic.ts";

const SWEEPS_PER_LEASE = 5;
const SESSIONS_PER_SWEEP = 200;
/** A hint that waits in a busy queue is not repeated sooner. */
const HINTED_AGAIN_MS = 5_000;

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
  let hintedAt = new Map<string, number>();
  const sweep = async () => {
    const now = performance.now();
    const waiting = await leases.abandoned(SESSIONS_PER_SWEEP);
    const isDue = (sessionId: string) => now - (hintedAt.get(sessionId) ?? Number.NEGATIVE_INFINITY) > HINTED_AGAIN_MS;
    const due = waiting.filter(isDue);
    // Only sessions that wait without a break are remembered: one that was taken up and dropped again is due at once.
    hintedAt = new Map(
      waiting.map((sessionId) => [sessionId, isDue(sessionId) ? now : (hintedAt.get(sessionId) ?? now)]),
    );
    await Promise.all(due.map((sessionId) => hintRun(sessionId)));
  };
  return startPeriodic("sweep", leaseMs / SWEEPS_PER_LEASE, sweep, log);
}
