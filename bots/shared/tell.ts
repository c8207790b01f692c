import { messageOf, RetryableError, TerminalError } from "../../src/errors.ts";
import type { ChatThreadKey } from "./chat-thread.ts";
import type { WordsMessage } from "./chat-surface.ts";
import { postOnce } from "./post-once.ts";
import type { TakeInScope } from "./take-in-scope.ts";

type TellScope = Pick<TakeInScope, "surface" | "store" | "log">;

/** A surface that does not answer must not hold up what people ask for. */
const TELL_TIMEOUT_MS = 10_000;

/**
 * Says something in a thread, once for each `item` however often it is called. What the surface refuses for good is logged.
 * @throws RetryableError when the surface can't take it now; the signal's reason
 */
export async function tell(
  { surface, store, log }: TellScope,
  thread: ChatThreadKey,
  item: string,
  message: WordsMessage,
  signal: AbortSignal,
): Promise<void> {
  const limited = AbortSignal.any([signal, AbortSignal.timeout(TELL_TIMEOUT_MS)]);
  const once = { surface, deliveries: store.deliveries, thread, signal: limited };
  // The thread's record, which the post needs, is missing where nobody has spoken yet.
  await store.threads.open(thread);
  try {
    await postOnce(once, item, (marker) => surface.post(thread, message, marker, limited));
  } catch (error) {
    signal.throwIfAborted();
    if (limited.aborted) throw new RetryableError("The chat does not take posts right now.", { cause: error });
    if (!(error instanceof TerminalError)) throw error;
    log.error({ chat_thread_key: thread, item, error: error.message }, "a notice was refused by the surface");
  }
}

/** The same, where it is not worth another attempt. Never rejects. */
export async function tryToTell(
  scope: TellScope,
  thread: ChatThreadKey,
  item: string,
  message: WordsMessage,
  signal: AbortSignal,
): Promise<void> {
  try {
    await tell(scope, thread, item, message, signal);
  } catch (error) {
    scope.log.warn({ chat_thread_key: thread, item, error: messageOf(error) }, "a notice was not posted");
  }
}
