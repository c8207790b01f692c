import type { ChatPlaceKey } from "./chat-place.ts";
import type { ChatThreadKey } from "./chat-thread.ts";
import type { Person } from "./person.ts";

/** A file in a chat, by the surface's own reference to it, so that it can wait in the database. */
export interface AttachmentRef {
  filename: string;
  /** Opaque to everyone but the surface. Holds no credential. */
  ref: string;
  /** Null where it is not told. */
  sizeBytes: number | null;
}

/** A message that stood in the thread before the agent was asked. */
export interface EarlierMessage {
  messageId: string;
  author: string;
  /** Our own posts are told apart by this. */
  byAgent: boolean;
  /** In ms since the epoch. */
  sentAt: number;
  /** Plain text with names instead of ids. */
  text: string;
  attachments: AttachmentRef[];
}

/**
 * What a surface can be asked about its threads and people. Each call has a timeout of its own.
 * RetryableError: try later, not before `retryAfterMs`. TerminalError: this can't be had, and why, in words for people.
 */
export interface ChatSource {
  /**
   * What was said in the thread before this message, oldest first, at most `limit` of the latest. Empty at its beginning.
   * All of it when `before` is none of its messages, as for a request that came from a modal.
   */
  earlier(thread: ChatThreadKey, before: string, limit: number, signal: AbortSignal): Promise<EarlierMessage[]>;
  /** The file's bytes; a `File` where only this tells its name. May be called again. */
  open(thread: ChatThreadKey, attachment: AttachmentRef, signal: AbortSignal): Promise<Blob>;
  /** As they are seen in a thread, or in a place beside any thread. */
  person(where: ChatThreadKey | ChatPlaceKey, id: string, signal: AbortSignal): Promise<Person>;
  /** Whether a person is in a group of the surface, such as a Slack user group. False for an unknown group. */
  inGroup(place: ChatPlaceKey, group: string, personId: string, signal: AbortSignal): Promise<boolean>;
  /** A link to a thread that opens it in the surface; null when there is none. */
  linkTo(thread: ChatThreadKey, signal: AbortSignal): Promise<string | null>;
}
