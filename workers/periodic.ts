import { setTimeout as delay } from "node:timers/promises";
import { messageOf } from "../src/errors.ts";
import type { Logger } from "../src/log.ts";

export interface PeriodicTask {
  /** Waits for a run that is under way. Idempotent. */
  stop(): Promise<void>;
}

/** Runs `work` now and then every `intervalMs`, one run at a time. A run that fails is logged; the next one comes all the same. */
export function startPeriodic(
  name: string,
  intervalMs: number,
  work: (signal: AbortSignal) => Promise<void>,
  log: Logger,
): PeriodicTask {
  const stopping = new AbortController();
  const { signal } = stopping;
  const loop = async () => {
    while (!signal.aborted) {
      try {
        await work(signal);
      } catch (error) {
        if (!signal.aborted) log.warn({ task: name, error: messageOf(error) }, "periodic task failed");
      }
      await delay(intervalMs, undefined, { signal, ref: false }).catch(() => undefined);
    }
  };
  const running = loop();
  return {
    async stop() {
      stopping.abort();
      await running;
    },
  };
}
