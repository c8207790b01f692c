import { messageOf, TerminalError } from "../../src/errors.ts";
import type { AttachmentRef } from "./chat-source.ts";
import type { ChatThreadKey } from "./chat-thread.ts";
import type { InboundItem } from "./inbound-item.ts";
import type { TakeInScope } from "./take-in-scope.ts";

/** A message that began its thread, or came into one that people go on writing in, is among the latest. */
const LATEST_MAX = 100;
const WORDS = "These files came with the message above.";

/** The item that asks. */
type FilesWork = { thread: ChatThreadKey; messageId: string; item: Extract<InboundItem, { type: "files" }> };

/**
 * The message by which the agent gets files that their own message was kept without; null when there are none. The surface
 * is asked where it has not told.
 * @throws RetryableError when the surface can't be asked now; the signal's reason
 */
export async function lateFilesMessage(
  scope: Pick<TakeInScope, "source" | "log">,
  work: FilesWork,
  signal: AbortSignal,
): Promise<Extract<InboundItem, { type: "message" }> | null> {
  const { personId, attachments } = work.item;
  const files = attachments ?? (await askForFiles(scope, work, signal));
  if (files.length === 0) return null;
  const from = { personId, agentId: null, reactTo: null };
  return { type: "message", ...from, text: WORDS, attachments: files, addressed: true };
}

/** None where the app may not read the thread: then nobody knows of any. */
async function askForFiles(
  { source, log }: Pick<TakeInScope, "source" | "log">,
  { thread, messageId, item: { of } }: FilesWork,
  signal: AbortSignal,
): Promise<AttachmentRef[]> {
  try {
    const latest = await source.earlier(thread, messageId, LATEST_MAX, signal);
    return latest.find((message) => message.messageId === of)?.attachments ?? [];
  } catch (error) {
    if (!(error instanceof TerminalError)) throw error;
    log.info({ chat_thread_key: thread, error: messageOf(error) }, "files of a message can't be asked for");
    return [];
  }
}
