import type { Anthropic } from "@anthropic-ai/sdk";
import { RetryableError, TerminalError } from "../../src/errors.ts";
import { type Attachment, mountAttachments } from "./attachments.ts";
import type { AttachmentRef, ChatSource } from "./chat-source.ts";
import type { ChatThreadKey } from "./chat-thread.ts";
import { earlierFiles, type EarlierWords } from "./earlier-messages.ts";
import { type MissingFile, type ThreadContext, userMessageText } from "./user-message.ts";

export interface Composition {
  thread: ChatThreadKey;
  sessionId: string;
  words: string;
  /** Null where the author goes without saying. */
  author: string | null;
  attachments: AttachmentRef[];
  /** Null where the session knows the thread. */
  earlier: EarlierWords | null;
  /** A file that can't be had right now is named as missing, instead of another attempt. */
  lastTry: boolean;
}

const TRY_AGAIN = "It could not be downloaded. Attach it again.";

/**
 * Puts the files of a message, and of the earlier ones that come with it, into the session, and makes the text that the
 * agent is told. A file that can't be had is named in it.
 * @throws API errors; RetryableError of the surface, unless it is the last try
 */
export async function composeMessage(
  { client, source }: { client: Anthropic; source: Pick<ChatSource, "open"> },
  { thread, sessionId, words, author, attachments, earlier, lastTry }: Composition,
  signal: AbortSignal,
): Promise<{ text: string; missing: MissingFile[] }> {
  const old = earlierFiles(earlier?.messages ?? [], attachments);
  const refs = [...attachments, ...old.files];
  const files = refs.map((ref) => attachmentOf(source, thread, ref, lastTry));
  const mounted = await mountAttachments(client, sessionId, files, signal);
  const places = new Map(refs.flatMap(({ ref }, index) => (mounted.paths[index] ? [[ref, mounted.paths[index]]] : [])));
  const missing = [...mounted.missing, ...old.missing];
  const paths = attachments.flatMap(({ ref }) => places.get(ref) ?? []);
  const context = earlier && contextOf(earlier, places);
  return { text: userMessageText(words, paths, { missing, author, context }), missing };
}

function attachmentOf(
  source: Pick<ChatSource, "open">,
  thread: ChatThreadKey,
  ref: AttachmentRef,
  lastTry: boolean,
): Attachment {
  return {
    filename: ref.filename,
    async content(signal) {
      try {
        return await source.open(thread, ref, signal);
      } catch (error) {
        if (lastTry && error instanceof RetryableError) throw new TerminalError(TRY_AGAIN, { cause: error });
        throw error;
      }
    },
  };
}

function contextOf({ messages, cut, unreadable }: EarlierWords, places: ReadonlyMap<string, string>): ThreadContext {
  return {
    messages: messages.map(({ author, byAgent, sentAt, text, attachments }) => ({
      author,
      byAgent,
      sentAt,
      text,
      files: attachments.map(({ ref, filename }) => places.get(ref) ?? filename),
    })),
    cut,
    unreadable,
  };
}
