import { wait } from "./backoff.ts";
import type { PaceLimit, PaceStore } from "./pace-limit.ts";

/** Many may wait for the same slot; they must not all ask at the same moment. */
const SPARE_WAIT_MS_MIN = 250;

/** Takes a slot of each limit and waits for it. Rejects with the signal's reason when that aborts during the wait. */
export async function takeTurn(store: PaceStore, limits: readonly PaceLimit[], signal: AbortSignal): Promise<void> {
  const keys = limits.map(({ key }) => key);
  for (;;) {
    const waitMs = await store.reserve(limits);
    if (waitMs <= 0) return;
    await wait(waitMs, signal);
    // The surface may have said to wait meanwhile; then this slot is void, and the next one comes after that.
    if ((await store.heldMs(keys)) <= 0) return;
  }
}

/** Takes a slot once others leave room for it. Rejects with the signal's reason when that aborts during the wait. */
export async function takeSpareTurn(store: PaceStore, limit: PaceLimit, signal: AbortSignal): Promise<void> {
  for (let waitMs = await store.reserveSpare(limit); waitMs > 0; waitMs = await store.reserveSpare(limit)) {
    await wait(Math.max(SPARE_WAIT_MS_MIN, waitMs) * (1 + Math.random()), signal);
  }
}
