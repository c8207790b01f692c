import { messageOf, RetryableError } from "../../src/errors.ts";
import type { DeliveryStore } from "./chat-store.ts";
import type { ChatThreadKey } from "./chat-thread.ts";

export interface HeldLease {
  /** Aborts when the lease is lost or the caller's signal aborts. */
  signal: AbortSignal;
  /** Stops renewing. */
  stop(): void;
}

/** Renews a lease that is held until it is stopped or lost. */
export function keepLease(
  deliveries: DeliveryStore,
  thread: ChatThreadKey,
  owner: string,
  ttlMs: number,
  signal: AbortSignal,
): HeldLease {
  const lost = new AbortController();
  const renew = async () => {
    try {
      if (await deliveries.lease(thread, owner, ttlMs)) return;
      lost.abort(new RetryableError(`Another process delivers ${thread} now.`));
    } catch (error) {
      lost.abort(
        new RetryableError(`The lease on ${thread} could not be renewed: ${messageOf(error)}`, { cause: error }),
      );
    }
    clearInterval(timer);
  };
  const timer = setInterval(() => void renew(), ttlMs / 3);
  return { signal: AbortSignal.any([signal, lost.signal]), stop: () => clearInterval(timer) };
}
