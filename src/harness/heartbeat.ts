import { messageOf } from "../errors.ts";
import type { Logger } from "../log.ts";
import type { EventLog, Fence } from "../sessions/event-log.ts";
import type { Leases } from "../sessions/lease.ts";
import type { Wakeups } from "../sessions/wakeups.ts";
import type { TurnSignals } from "./signals.ts";

/** Renewals per lease time: two may fail before the lease runs out. */
const RENEWALS_PER_TTL = 3;

export interface Heartbeat {
  stop(): void;
}

export interface HeartbeatDeps {
  leases: Pick<Leases, "renew">;
  log: Pick<EventLog, "inbox">;
  wakeups: Pick<Wakeups, "subscribe">;
  leaseMs: number;
  logger: Logger;
}

/**
 * Keeps the lease and watches for an interrupt while the harness is busy. A wake-up tells of an interrupt at once; each
 * renewal looks again, in case the wake-up got lost.
 * @param signals asked anew each time: every turn of the run has its own
 */
export async function startHeartbeat(
  deps: HeartbeatDeps,
  fence: Fence,
  signals: () => TurnSignals,
): Promise<Heartbeat> {
  const logger = deps.logger.child({ session_id: fence.sessionId });
  let lastRenewed = performance.now();

  const renew = async () => {
    const asked = performance.now();
    try {
      const renewed = await deps.leases.renew(fence);
      if (!renewed) return signals().cut("lease_lost");
      lastRenewed = asked;
      if (renewed.queuedCount > 0) await lookForInterrupt();
    } catch (error) {
      logger.warn({ error: messageOf(error) }, "lease not renewed");
      if (performance.now() - lastRenewed > deps.leaseMs) signals().cut("lease_lost");
    }
  };
  const lookForInterrupt = async () => {
    // By the time of the answer an interrupt may be dealt with: it must not cut what comes after it.
    const current = signals();
    const inbox = await deps.log.inbox(fence.sessionId);
    if (inbox.some((event) => event.type === "user.interrupt")) current.cut("interrupt");
  };

  const unsubscribe = await deps.wakeups.subscribe(fence.sessionId, (wakeup) => {
    if (!wakeup.inbox) return;
    lookForInterrupt().catch((error: unknown) => logger.warn({ error: messageOf(error) }, "inbox not read"));
  });
  const timer = setInterval(() => void renew(), deps.leaseMs / RENEWALS_PER_TTL); // `renew` handles its own failure.
  return {
    stop() {
      clearInterval(timer);
      unsubscribe();
    },
  };
}
