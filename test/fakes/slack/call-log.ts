/** A call to the Web API, an upload or a download, as it came in. */
export interface LoggedCall {
  /** `upload` and `download` for the two that are no methods. */
  method: string;
  /** As the app sent them, after decoding; without tokens. */
  args: Record<string, unknown>;
  /** Of the installation; empty when the token opened none. */
  team: string;
  /** In ms since the epoch, by the fake's clock. */
  at: number;
  /** What Slack decided, arrived or not; null while it is at it, and when a fault came first. */
  answer: { ok: boolean; error?: string; [field: string]: unknown } | null;
}

export interface CallLog {
  readonly calls: LoggedCall[];
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

export function createCallLog(): CallLog {
  const waiting = new Set<() => void>();
  return {
    calls: [],
    changed() {
      for (const wake of [...waiting]) wake();
    },
    until(what, probe, timeoutMs = DEFAULT_TIMEOUT_MS) {
      return new Promise((resolve, reject) => {
        const timer = setTimeout(() => {
          waiting.delete(look);
          reject(new Error(`The fake Slack waited ${timeoutMs} ms for ${what}.`));
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
