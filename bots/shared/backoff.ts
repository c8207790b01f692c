import { setTimeout as sleep } from "node:timers/promises";

const FIRST_MS = 250;
const LONGEST_MS = 8_000;

/** Waits longer with each failure: `failures` counts from 1. Rejects with the signal's reason when it aborts. */
export async function backOff(failures: number, signal: AbortSignal, atLeastMs = 0): Promise<void> {
  const exponentialMs = Math.min(LONGEST_MS, FIRST_MS * 2 ** (failures - 1));
  const jittered = exponentialMs * (0.75 + Math.random() / 4);
  await wait(Math.max(atLeastMs, jittered), signal);
}

/** Rejects with the signal's reason when it aborts. */
export async function wait(durationMs: number, signal: AbortSignal): Promise<void> {
  try {
    await sleep(durationMs, undefined, { signal });
  } catch (error) {
    signal.throwIfAborted();
    throw error;
  }
}
