import { RetryableError } from "../../src/errors.ts";
import { backOff, wait } from "./backoff.ts";
import type { ChatMessage, ChatSurface, MessageRef } from "./chat-surface.ts";
import type { ChatThreadKey } from "./chat-thread.ts";

/** One message that is kept up to date. */
export interface LiveStatus {
  /** Shows this as soon as the surface's pace allows; what was not shown by then is skipped. Never rejects. */
  show(message: ChatMessage): void;
  /** Shows this one in any case, then stops. Rejects with the signal's reason when that aborts, and for nothing else. */
  finish(message: ChatMessage): Promise<void>;
  /** Stops without another update. */
  stop(): void;
}

export interface LiveStatusOptions {
  surface: ChatSurface;
  thread: ChatThreadKey;
  ref: MessageRef;
  /** What the message says already. */
  shown: ChatMessage;
  signal: AbortSignal;
  /** Hears of updates that the surface refused: a status must not stand in the way of the answer. */
  onError(error: unknown): void;
}

/** Updates come one at a time and no faster than the surface allows. */
export function keepStatus({ surface, thread, ref, shown, signal, onError }: LiveStatusOptions): LiveStatus {
  const stopping = new AbortController();
  const either = AbortSignal.any([signal, stopping.signal]);
  let wanted = shown;
  let drawn = shown;
  let running: Promise<void> | null = null;

  const draw = async (message: ChatMessage, until: AbortSignal) => {
    for (let failures = 1; ; failures++) {
      try {
        return await surface.update(thread, ref, message, until);
      } catch (error) {
        until.throwIfAborted();
        if (!(error instanceof RetryableError)) throw error;
        await backOff(failures, until, error.retryAfterMs ?? 0);
      }
    }
  };

  const catchUp = async () => {
    while (drawn !== wanted) {
      drawn = wanted;
      await draw(drawn, either);
      await wait(surface.limits(thread).updateIntervalMs, either);
    }
  };

  const start = () => {
    running ??= catchUp()
      .catch((error: unknown) => {
        if (!either.aborted) onError(error);
      })
      .finally(() => {
        running = null;
        if (drawn !== wanted && !either.aborted) start();
      });
  };

  const beat = surface.limits(thread).heartbeatMs;
  const heart =
    beat === null
      ? null
      : setInterval(() => {
          wanted = { ...wanted };
          start();
        }, beat);

  const stop = () => {
    if (heart) clearInterval(heart);
    stopping.abort();
  };

  return {
    show(message) {
      wanted = message;
      start();
    },
    async finish(message) {
      stop();
      await running;
      try {
        await draw(message, signal);
      } catch (error) {
        signal.throwIfAborted();
        onError(error);
      }
    },
    stop,
  };
}
