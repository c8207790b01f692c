import { RetryableError, TerminalError } from "../../src/errors.ts";
import type { AttachmentRef, ChatSource, EarlierMessage } from "./chat-source.ts";
import type { ChatThreadKey } from "./chat-thread.ts";
import type { MissingFile } from "./user-message.ts";

export interface EarlierWords {
  /** Oldest first; long ones are cut. */
  messages: EarlierMessage[];
  /** Older ones are left out. */
  cut: boolean;
  /** Why there are none, in words for people, when the thread could not be read. */
  unreadable: string | null;
}

export interface EarlierRequest {
  thread: ChatThreadKey;
  /** The message that they came before. */
  before: string;
  /** The latest that the session knows; null when it knows none. */
  since: string | null;
  /** A thread that can't be read right now is left unread, instead of another attempt. */
  lastTry: boolean;
}

const MESSAGES_MAX = 100;
const MESSAGE_CHARS_MAX = 8_000;
const CHARS_MAX = 60_000;
const FILES_MAX = 20;
const FILES_BYTES_MAX = 200 * 1024 * 1024;

/**
 * What was said in a thread that its session does not know. What the agent said itself it does not have to be told, unless
 * it said it in a session of before.
 * @throws RetryableError, unless it is the last try
 */
export async function earlierMessages(
  source: Pick<ChatSource, "earlier">,
  { thread, before, since, lastTry }: EarlierRequest,
  signal: AbortSignal,
): Promise<EarlierWords> {
  try {
    const read = await source.earlier(thread, before, MESSAGES_MAX, signal);
    const known = since === null ? -1 : read.findIndex(({ messageId }) => messageId === since);
    const unknown = read.slice(known + 1).filter(({ byAgent }) => since === null || !byAgent);
    const { messages, cut } = fitting(unknown);
    return { messages, cut: cut || (known === -1 && read.length >= MESSAGES_MAX), unreadable: null };
  } catch (error) {
    if (!(error instanceof TerminalError) && !(lastTry && error instanceof RetryableError)) throw error;
    return { messages: [], cut: false, unreadable: error.message };
  }
}

/** Pure: the latest messages that there is room for. */
export function fitting(messages: readonly EarlierMessage[]): Pick<EarlierWords, "messages" | "cut"> {
  let room = CHARS_MAX;
  const kept: EarlierMessage[] = [];
  for (const message of messages.toReversed()) {
    const text =
      message.text.length > MESSAGE_CHARS_MAX ? `${message.text.slice(0, MESSAGE_CHARS_MAX)} […]` : message.text;
    room -= text.length;
    if (room < 0) return { messages: kept.toReversed(), cut: true };
    kept.push({ ...message, text });
  }
  return { messages: kept.toReversed(), cut: false };
}

/** Pure: the files of earlier messages that the agent gets, the latest first, besides those that it gets anyway. */
export function earlierFiles(
  messages: readonly EarlierMessage[],
  own: readonly AttachmentRef[],
): { files: AttachmentRef[]; missing: MissingFile[] } {
  const taken = new Set(own.map(({ ref }) => ref));
  let room = FILES_BYTES_MAX;
  const files: AttachmentRef[] = [];
  const missing: MissingFile[] = [];
  // What the agent posted it has made itself; it may still be what the request is about.
  for (const file of messages.toReversed().flatMap(({ attachments }) => attachments)) {
    if (taken.has(file.ref)) continue;
    taken.add(file.ref);
    const fits = files.length < FILES_MAX && (file.sizeBytes ?? 0) <= room;
    if (fits) {
      files.push(file);
      room -= file.sizeBytes ?? 0;
    } else {
      missing.push({ filename: file.filename, reason: "There are too many files in this thread. Attach it again." });
    }
  }
  return { files, missing };
}
