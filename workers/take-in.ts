import { setTimeout as delay } from "node:timers/promises";
import { chatThreadKey, parseChatThreadKey, type ChatThreadKey } from "../bots/shared/chat-thread.ts";
import type { ChatSource } from "../bots/shared/chat-source.ts";
import type { ChatSurface } from "../bots/shared/chat-surface.ts";
import type { PaceStore } from "../bots/shared/pace-limit.ts";
import type { DecisionCall, TakeInScope } from "../bots/shared/take-in-scope.ts";
import { takeInThread } from "../bots/shared/take-in-thread.ts";
import type { CommandCall } from "../bots/shared/run-command.ts";
import { messageOf } from "../src/errors.ts";
import type { Logger } from "../src/log.ts";
import type { Queue } from "../src/queue/queue.ts";
import { startPeriodic } from "./periodic.ts";

/** A surface, and what can be asked about it. */
export interface Chat {
  surface: ChatSurface;
  source: ChatSource;
}

export interface TakeInDeps extends Omit<TakeInScope, "surface" | "source" | "runCommand" | "decide"> {
  /** The surfaces that this process serves. Threads of others are left to the processes that do. */
  chats: readonly Chat[];
  /** See `TakeInScope`. */
  runCommand(chat: Chat, call: CommandCall, signal: AbortSignal): Promise<string | null>;
  /** See `TakeInScope`. */
  decide(chat: Chat, call: DecisionCall, signal: AbortSignal): Promise<void>;
  /** Of the chats, to be forgotten when they are at rest. */
  paces: Pick<PaceStore, "forget">;
  queue: Queue;
  /** See `TakeInOptions`. */
  claimMs?: number;
}

export interface RunningTakeIn {
  /** Gives back what it is at. Idempotent. */
  stop(): Promise<void>;
}

/** More at once leave the process that also takes deliveries too little time to acknowledge them: Slack waits 3 s. */
const CONCURRENCY = 64;
const SWEEP_INTERVAL_MS = 1_000;
const THREADS_PER_SWEEP = 200;
const FORGET_INTERVAL_MS = 3_600_000;
/** Longer than any surface goes on delivering the same thing again. */
const REMEMBERED_MS = 30 * 24 * 3_600_000;
/** A pace at rest is as good as none: a channel of which there is nothing to remember. */
const PACES_REMEMBERED_MS = 3_600_000;
/** Surfaces wait for their answer, Slack 3 s; the item is kept by then. */
const HINT_TIMEOUT_MS = 1_000;

/** Takes in what people did as the queue says, and what was left because a hint was lost or a process died. */
export async function startTakeIn(deps: TakeInDeps): Promise<RunningTakeIn> {
  const { chats, queue, log, records, paces } = deps;
  const byName = new Map<string, TakeInScope>(chats.map((chat) => [chat.surface.name, scopeOf(deps, chat)]));
  const hint = createTakeInHint(queue, log);
  const options = { hint, ...(deps.claimMs !== undefined && { claimMs: deps.claimMs }) };
  const worker = await queue.work(
    "take-in",
    async ({ chat_thread_key }, signal) => {
      const thread = parseChatThreadKey(chat_thread_key);
      const scope = byName.get(thread.surface);
      if (scope) await takeInThread(scope, chatThreadKey(thread), options, signal);
    },
    { concurrency: CONCURRENCY },
  );
  const sweep = async () => {
    const threads = await records.inbox.unsettled([...byName.keys()], THREADS_PER_SWEEP);
    await Promise.all(threads.map((thread) => hint(thread)));
  };
  const sweeper = startPeriodic("sweep-inbox", SWEEP_INTERVAL_MS, sweep, log);
  const forget = async () => {
    await records.inbox.forget(REMEMBERED_MS);
    await paces.forget(PACES_REMEMBERED_MS);
  };
  const forgetter = startPeriodic("forget-inbox", FORGET_INTERVAL_MS, forget, log);
  return {
    async stop() {
      await Promise.all([sweeper.stop(), forgetter.stop()]);
      await worker.stop();
    },
  };
}

/** The hint that `accept` and `takeInThread` give. Never rejects: the sweep finds what a lost one would have told. */
export function createTakeInHint(queue: Pick<Queue, "enqueue">, log: Logger) {
  return async (thread: ChatThreadKey, delayMs = 0): Promise<void> => {
    const waiting = new AbortController();
    const timeout = delay(HINT_TIMEOUT_MS, undefined, { signal: waiting.signal, ref: false }).then(() => {
      throw new Error(`no answer in ${HINT_TIMEOUT_MS} ms`);
    });
    try {
      await Promise.race([queue.enqueue("take-in", { chat_thread_key: thread }, { delayMs }), timeout]);
    } catch (error) {
      log.warn({ chat_thread_key: thread, reason: messageOf(error) }, "take-in was not enqueued");
    } finally {
      waiting.abort();
    }
  };
}

function scopeOf(deps: TakeInDeps, chat: Chat): TakeInScope {
  return {
    ...deps,
    ...chat,
    runCommand: (call, signal) => deps.runCommand(chat, call, signal),
    decide: (call, signal) => deps.decide(chat, call, signal),
  };
}
