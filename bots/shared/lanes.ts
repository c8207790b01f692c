import { untilAborted } from "./until-aborted.ts";

/** Work of the same name happens in the order it was asked for, one at a time. Others don't wait for it. */
export interface Lanes {
  /** Rejects with the signal's reason when that aborts, also while it waits: then the work never begins. */
  run<Value>(lane: string, signal: AbortSignal, work: () => Promise<Value>): Promise<Value>;
}

export function createLanes(): Lanes {
  const tails = new Map<string, Promise<void>>();
  return {
    async run(lane, signal, work) {
      const result = (tails.get(lane) ?? Promise.resolve()).then(async () => {
        signal.throwIfAborted();
        return await work();
      });
      const tail: Promise<void> = result
        .then(
          () => undefined,
          () => undefined,
        )
        .then(() => {
          if (tails.get(lane) === tail) tails.delete(lane);
        });
      tails.set(lane, tail);
      return await untilAborted(result, signal);
    },
  };
}
