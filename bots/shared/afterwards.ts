import { messageOf } from "../../src/errors.ts";
import type { Logger } from "../../src/log.ts";

/** What need not be done before a surface has its answer, nor survive this process. */
export interface Afterwards {
  /** Returns at once. A failure is logged. */
  run(what: string, work: (signal: AbortSignal) => Promise<unknown>): void;
  /** Aborts what runs and waits for it. */
  stop(): Promise<void>;
}

export function createAfterwards(log: Logger): Afterwards {
  const stopping = new AbortController();
  const running = new Set<Promise<void>>();
  return {
    run(what, work) {
      const done = attempt(what, work).finally(() => running.delete(done));
      running.add(done);
    },
    async stop() {
      stopping.abort();
      await Promise.all(running);
    },
  };

  async function attempt(what: string, work: (signal: AbortSignal) => Promise<unknown>): Promise<void> {
    try {
      await work(stopping.signal);
    } catch (error) {
      if (!stopping.signal.aborted) log.warn({ what, error: messageOf(error) }, "not done");
    }
  }
}
