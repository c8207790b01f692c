import { messageOf } from "../../src/errors.ts";
import type { ChatThreadKey } from "./chat-thread.ts";
import type { TakeInScope } from "./take-in-scope.ts";

const ACKNOWLEDGE_TIMEOUT_MS = 5_000;

/** Shows a person that their message was taken in. Never rejects: a message counts without it. */
export async function acknowledge(
  { surface, log }: Pick<TakeInScope, "surface" | "log">,
  thread: ChatThreadKey,
  messageId: string,
  how: "started" | "queued",
  signal: AbortSignal,
): Promise<void> {
  const limited = AbortSignal.any([signal, AbortSignal.timeout(ACKNOWLEDGE_TIMEOUT_MS)]);
  try {
    await surface.acknowledge(thread, messageId, how, limited);
  } catch (error) {
    log.warn({ chat_thread_key: thread, error: messageOf(error) }, "a message was not acknowledged");
  }
}
