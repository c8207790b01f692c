import { RetryableError } from "../../src/errors.ts";
import { backOff } from "./backoff.ts";
import type { DeliveryStore } from "./chat-store.ts";
import type { ChatSurface, MessageRef } from "./chat-surface.ts";
import type { ChatThreadKey } from "./chat-thread.ts";
import { markerOf } from "./marker.ts";

export interface PostOnce {
  surface: ChatSurface;
  deliveries: DeliveryStore;
  thread: ChatThreadKey;
  signal: AbortSignal;
}

/**
 * Makes a post exactly once, through crashes: the intent is written first, and whoever finds an intent without a
 * reference looks for the marker before posting. RetryableError of the surface is waited out; other errors pass.
 */
export async function postOnce(
  { surface, deliveries, thread, signal }: PostOnce,
  item: string,
  post: (marker: string) => Promise<MessageRef>,
  fileIds: string[] = [],
): Promise<MessageRef> {
  const marker = markerOf(thread, item);
  const intent = await deliveries.intend(thread, item, fileIds);
  if (intent.ref !== null) return intent.ref;

  let mayBePosted = !intent.fresh;
  for (let failures = 0; ;) {
    try {
      const found = mayBePosted ? await surface.find(thread, marker, signal) : null;
      mayBePosted = true;
      const ref = found ?? (await post(marker));
      await deliveries.settle(thread, item, ref);
      return ref;
    } catch (error) {
      signal.throwIfAborted();
      if (!(error instanceof RetryableError)) throw error;
      failures += 1;
      await backOff(failures, signal, error.retryAfterMs ?? 0);
    }
  }
}

/**
 * What `postOnce` made of this item, in this process or one that died; null when it has not. Leaves an intent behind, so it
 * is for items that are meant to be posted.
 */
export async function findPost(
  { surface, deliveries, thread, signal }: PostOnce,
  item: string,
): Promise<MessageRef | null> {
  const intent = await deliveries.intend(thread, item);
  if (intent.ref !== null || intent.fresh) return intent.ref;
  const ref = await surface.find(thread, markerOf(thread, item), signal);
  if (ref !== null) await deliveries.settle(thread, item, ref);
  return ref;
}
