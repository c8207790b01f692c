/** For tests that wait for what happens in a fake, without polling. */
export interface Waiting {
  /** Wakes whoever waits: something happened. */
  changed(): void;
  /**
   * Resolves with what `probe` returns as soon as that is neither undefined, null nor false; it is asked whenever
   * something happens in the fake.
   * @throws Error, naming what was waited for, after `timeoutMs`
   */
  until<T>(what: string, probe: () => T | undefined | null | false, timeoutMs?: number): Promise<T>;
}

const DEFAULT_TIMEOUT_MS = 10_000;

/** @param who the fake, as errors name it */
export function createWaiting(who: string): Waiting {
  const waiting = new Set<() => void>();
  return {
    changed() {
      for (const wake of [...waiting]) wake();
    },
    until(what, probe, timeoutMs = DEFAULT_TIMEOUT_MS) {
      return new Promise((resolve, reject) => {
        const timer = setTimeout(() => {
          waiting.delete(look);
          reject(new Error(`${who} waited ${timeoutMs} ms for ${what}.`));
        }, timeoutMs);
        const look = () => {
          const found = probe();
          if (found === undefined || found === null || found === false) return;
          waiting.delete(look);
          clearTimeout(timer);
          resolve(found);
        };
        waiting.add(look);
        look();
      });
    },
  };
}
