import { setTimeout as delay } from "node:timers/promises";

const INTERVAL_MS = 10;

export interface PollOptions {
  timeoutMs: number;
  signal: AbortSignal;
  intervalMs?: number;
}

/**
 * Asks `probe` again and again until it returns something other than undefined, and returns that.
 * Rejects with what `probe` throws, with the signal's reason, and with a TimeoutError that says `what` was waited for.
 */
export async function pollUntil<Found>(
  what: string,
  probe: () => Promise<Found | undefined>,
  { timeoutMs, signal, intervalMs = INTERVAL_MS }: PollOptions,
): Promise<Found> {
  const deadline = performance.now() + timeoutMs;
  for (;;) {
    signal.throwIfAborted();
    const found = await probe();
    if (found !== undefined) return found;
    if (performance.now() > deadline) {
      throw new DOMException(`Waited ${timeoutMs / 1000} s for ${what}.`, "TimeoutError");
    }
    await delay(intervalMs, undefined, { signal }).catch(() => signal.throwIfAborted());
  }
}
