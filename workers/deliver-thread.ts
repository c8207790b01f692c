import type { Anthropic } from "@anthropic-ai/sdk";
import { parseChatThreadKey, chatThreadKey, type ChatThreadKey } from "../bots/shared/chat-thread.ts";
import type { ChatStore } from "../bots/shared/chat-store.ts";
import type { ChatSurface } from "../bots/shared/chat-surface.ts";
import { deliverThread } from "../bots/shared/deliver.ts";
import type { DeliveryRecords } from "../bots/shared/delivery-scope.ts";
import type { Logger } from "../src/log.ts";
import type { Queue } from "../src/queue/queue.ts";
import { startPeriodic } from "./periodic.ts";

export interface DelivererDeps {
  client: Anthropic;
  store: ChatStore;
  records: DeliveryRecords;
  /** The surfaces that this process can post to. Threads of others are left to the processes that can. */
  surfaces: readonly ChatSurface[];
  queue: Queue;
  log: Logger;
}

export interface RunningDeliverer {
  /** Lets go of the threads it delivers. Idempotent. */
  stop(): Promise<void>;
}

const CONCURRENCY = 200;
const SWEEP_INTERVAL_MS = 2_000;
const THREADS_PER_SWEEP = 200;
const FIRST_RETRY_MS = 4_000;
const LONGEST_RETRY_MS = 300_000;

/**
 * Delivers threads as the queue says, and those whose hint was lost or whose deliverer died. One that fails for good, such as
 * by a key that the API does not take, is tried less and less often, and at once when it is woken: others don't wait for it.
 */
export async function startDeliverer({
  client,
  store,
  records,
  surfaces,
  queue,
  log,
}: DelivererDeps): Promise<RunningDeliverer> {
  const byName = new Map<string, ChatSurface>(surfaces.map((surface) => [surface.name, surface]));
  const failures = new Map<ChatThreadKey, number>();
  const deliver = async (surface: ChatSurface, thread: ChatThreadKey, signal: AbortSignal) => {
    try {
      await deliverThread({ client, surface, store, records, log }, thread, signal);
      failures.delete(thread);
    } catch (error) {
      if (!signal.aborted) {
        const count = (failures.get(thread) ?? 0) + 1;
        failures.set(thread, count);
        await store.deliveries.postpone(thread, retryDelayMs(count));
      }
      throw error;
    }
  };
  const worker = await queue.work(
    "deliver-thread",
    async ({ chat_thread_key }, signal) => {
      const thread = parseChatThreadKey(chat_thread_key);
      const surface = byName.get(thread.surface);
      if (surface) await deliver(surface, chatThreadKey(thread), signal);
    },
    { concurrency: CONCURRENCY },
  );
  const sweep = async () => {
    const threads = await store.deliveries.undelivered([...byName.keys()], THREADS_PER_SWEEP);
    await Promise.all(threads.map((key) => queue.enqueue("deliver-thread", { chat_thread_key: key })));
  };
  const sweeper = startPeriodic("sweep-deliveries", SWEEP_INTERVAL_MS, sweep, log);
  return {
    async stop() {
      await sweeper.stop();
      await worker.stop();
    },
  };
}

/** Pure: how long a thread is left alone that failed so often, counted from 1. */
function retryDelayMs(failures: number): number {
  return Math.min(LONGEST_RETRY_MS, FIRST_RETRY_MS * 2 ** (failures - 1));
}
