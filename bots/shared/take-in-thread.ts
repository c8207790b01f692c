import { messageOf } from "../../src/errors.ts";
import { type PendingItem, UnreadableItemError } from "./chat-records.ts";
import type { ChatThreadKey } from "./chat-thread.ts";
import { ClaimLostError, keepClaim } from "./claim.ts";
import { planAfterFailure } from "./item-failure.ts";
import { notice } from "./render.ts";
import { type Attempt, takeInItem } from "./take-in-item.ts";
import type { TakeInScope } from "./take-in-scope.ts";
import { tryToTell } from "./tell.ts";

export interface TakeInOptions {
  /** How long an item stays with a process that died. */
  claimMs?: number;
  /** Tells whoever takes things in to look at the thread again in `delayMs`. Never rejects. */
  hint(thread: ChatThreadKey, delayMs: number): Promise<void>;
}

const CLAIM_MS = 10_000;
/** A platform that is away for less than this is not worth a word. */
const TELL_AFTER_MS = 3_000;

/**
 * Deals with what people did in a thread, one thing after another, until nothing is left that may be claimed now. Any number
 * may be at a thread at once: decisions and stops pass those who are at a message. May be killed at any point.
 * @throws the signal's reason; errors of the stores
 */
export async function takeInThread(
  scope: TakeInScope,
  thread: ChatThreadKey,
  options: TakeInOptions,
  signal: AbortSignal,
): Promise<void> {
  const { inbox } = scope.records;
  const claimMs = options.claimMs ?? CLAIM_MS;
  const asides: Promise<void>[] = [];
  try {
    while (!signal.aborted) {
      const pending = await claimReadable(scope, thread, claimMs);
      if (!pending) break;
      const begunAt = performance.now();
      const claim = keepClaim(inbox, thread, pending, claimMs, signal);
      const attempt = { thread, pending, claim, signal, aside: (work: Promise<void>) => void asides.push(work) };
      try {
        await takeInItem(scope, attempt);
      } catch (error) {
        const waitedMs = pending.waitedMs + performance.now() - begunAt;
        await afterFailure(scope, attempt, options, { error, waitedMs });
      } finally {
        claim.stop();
      }
    }
  } finally {
    await Promise.all(asides);
  }
}

/** The next item, past those that nobody can read: left where they are, they would hold up what came after them. */
async function claimReadable(scope: TakeInScope, thread: ChatThreadKey, claimMs: number): Promise<PendingItem | null> {
  const { inbox } = scope.records;
  for (;;) {
    try {
      return await inbox.claimNext(thread, claimMs);
    } catch (error) {
      if (!(error instanceof UnreadableItemError)) throw error;
      const { messageId, fields } = error;
      scope.log.error(
        { chat_thread_key: thread, message_id: messageId, fields },
        "an item that can't be read is dropped",
      );
      await inbox.settle(thread, messageId, null);
    }
  }
}

async function afterFailure(
  scope: TakeInScope,
  attempt: Attempt,
  { hint }: TakeInOptions,
  { error, waitedMs }: { error: unknown; waitedMs: number },
): Promise<void> {
  const { thread, pending, claim, signal, aside } = attempt;
  const { inbox } = scope.records;
  const { messageId } = pending;
  const log = scope.log.child({ chat_thread_key: thread, message_id: messageId });
  if (signal.aborted) {
    await inbox.postpone(thread, pending, 0);
    signal.throwIfAborted();
  }
  if (error instanceof ClaimLostError || claim.signal.aborted) {
    log.info({ reason: messageOf(claim.signal.reason ?? error) }, "an item is somebody else's now, or was dropped");
    return;
  }
  const plan = planAfterFailure(error, { attempts: pending.attempts, waitedMs });
  if (plan.type === "again") {
    log.warn({ error: messageOf(error), delay_ms: plan.delayMs }, "an item will be tried again");
    await inbox.postpone(thread, pending, plan.delayMs);
    if (plan.platformDown && waitedMs >= TELL_AFTER_MS) {
      aside(tryToTell(scope, thread, `kept:${messageId}`, notice("warning", keptText(pending)), signal));
    }
    await hint(thread, plan.delayMs);
    return;
  }
  log.error({ err: error }, "an item was given up");
  await tryToTell(scope, thread, `failed:${messageId}`, notice("error", plan.words), signal);
  await inbox.settle(thread, messageId, null);
}

/** Pure. */
function keptText({ item }: PendingItem): string {
  switch (item.type) {
    case "message":
      return "I can't reach the platform I run on right now. Your request is kept, and I start on it as soon as I can.";
    case "files":
      return "I can't reach the platform I run on right now. Your files are kept, and I pass them on as soon as I can.";
    case "stop":
      return "I can't reach the platform I run on right now. I stop the work as soon as I can.";
    case "decision":
      return "I can't reach the platform I run on right now. Your decision is kept, and I pass it on as soon as I can.";
  }
}
