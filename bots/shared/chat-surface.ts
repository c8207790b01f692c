import type { ChatThreadKey } from "./chat-thread.ts";

export type StatusState = "working" | "waiting" | "done" | "stopped" | "failed";

export interface StatusStep {
  /** What the agent says it is doing, one line. */
  label: string;
  state: "running" | "done" | "stopped";
  /** The tool in use, or the last one that was: `bash: python3 clean.py`. */
  detail: string | null;
  toolCount: number;
}

/** One turn at a glance. A surface draws it in its own way and replaces it as a whole on each update. */
export interface StatusCard {
  state: StatusState;
  steps: StatusStep[];
  /** Times are in ms since the epoch. A surface that can draw by its own clock shows the time since `startedAt`. */
  startedAt: number;
  /** Null while the turn runs. */
  endedAt: number | null;
  /** Tokens in and out so far, cached ones included. */
  tokens: number;
  /** What the person should know right now, such as a retry that is being waited for. */
  note: string | null;
  /** The beginning of what the agent is writing at this moment; always null where `limits.drafts` is false. */
  draft: string | null;
}

/** What is said in a thread, in no surface's own format. `markdown` is CommonMark with tables. */
export type ChatMessage =
  | { type: "text"; markdown: string }
  | { type: "notice"; level: "info" | "warning" | "error"; markdown: string }
  | { type: "status"; card: StatusCard };

/** One that stays as it is. */
export type WordsMessage = Exclude<ChatMessage, { type: "status" }>;

/** A file on its way into the thread. */
export interface ChatFile {
  /** Stable: the same file has the same id in every attempt. */
  id: string;
  filename: string;
  mimeType: string;
  sizeBytes: number;
  /** Opens the content anew on each call. */
  content(signal: AbortSignal): Promise<ReadableStream<Uint8Array>>;
  /** PNG of the first page, sheet or slide; null when there is none. */
  preview(signal: AbortSignal): Promise<Uint8Array | null>;
}

/** The surface's own name of something posted, such as a message timestamp. Opaque to everyone else. */
export type MessageRef = string;

export interface SurfaceLimits {
  /** Longest `markdown` of one message, in UTF-16 units; longer ones are split before they reach the surface. */
  markdownCharsMax: number;
  /** Least time between two updates of a message. */
  updateIntervalMs: number;
  /** How often a running status is redrawn though nothing happened; null when the surface keeps time by itself. */
  heartbeatMs: number | null;
  /** Whether `StatusCard.draft` is wanted. */
  drafts: boolean;
}

/**
 * A place where people talk to the agent. The chat core knows surfaces by this port alone.
 *
 * Contract, checked by `test/contracts/chat-surface.ts` against each surface:
 * - `post` and `upload` write `marker` into what they make, in a way that people don't see. A caller that doesn't know
 *   whether an earlier attempt got through asks `find` first; so each call makes its post at most once, and a crash at any
 *   point neither loses nor doubles one. `find` sees what was posted before the process died;
 * - a rejected call may have had its effect, unless it rejected with TerminalError;
 * - RetryableError: try later, not before `retryAfterMs`. TerminalError: this content can never be posted here;
 * - when the signal aborts, a call rejects with the signal's reason;
 * - calls may overlap, also within a thread; those of one caller are shown in the order in which they were made.
 */
export interface ChatSurface {
  /** The first part of this surface's thread keys. */
  readonly name: "slack" | "teams" | "terminal";
  readonly limits: SurfaceLimits;
  post(thread: ChatThreadKey, message: ChatMessage, marker: string, signal: AbortSignal): Promise<MessageRef>;
  /** Replaces a message. Repeating it is harmless. Resolves when the message is gone, too: there is nothing to update. */
  update(thread: ChatThreadKey, ref: MessageRef, message: ChatMessage, signal: AbortSignal): Promise<void>;
  /** All files in one message, with their previews where there are any. */
  upload(thread: ChatThreadKey, files: ChatFile[], marker: string, signal: AbortSignal): Promise<MessageRef>;
  /** What `post` or `upload` made with this marker; null when nothing, or not all of it, was made. */
  find(thread: ChatThreadKey, marker: string, signal: AbortSignal): Promise<MessageRef | null>;
  /** Shows a person that their message was taken in: at once, or to be read at the agent's next step. Idempotent. */
  acknowledge(thread: ChatThreadKey, messageId: string, how: "started" | "queued", signal: AbortSignal): Promise<void>;
}
