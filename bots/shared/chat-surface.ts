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
  /** Null while the turn runs; since when it waits in the state `waiting`. It may go on from there. */
  endedAt: number | null;
  /** Tokens in and out so far, cached ones included. */
  tokens: number;
  /** What the session has cost so far, in US cents; null until the API has said it, and while it is next to nothing. */
  costCents: number | null;
  /** What the person should know right now, such as a retry that is being waited for. */
  note: string | null;
  /** The beginning of what the agent is writing at this moment; null unless `limits.drafts` is `status`. */
  draft: string | null;
}

export type ApprovalState =
  /** `expiresAt` is null where it waits as long as it takes. */
  | { type: "open"; expiresAt: number | null }
  | { type: "decided"; decision: "allow" | "deny"; by: string; at: number; reason: string | null }
  | { type: "expired"; at: number }
  /** The session moved on: it was stopped, or somebody decided elsewhere. */
  | { type: "moot" };

/** Asks a person whether a tool call may run. */
export interface ApprovalCard {
  /** Of the `agent.tool_use` event; a press on a button brings it back. */
  toolUseId: string;
  toolName: string;
  /** One line: what the call does. */
  summary: string;
  /** What will run, word for word, for example the shell command. Not shortened. */
  detail: string;
  /** The surface's ids of those who may decide; empty when it is only the requester. */
  approvers: readonly string[];
  requester: string | null;
  state: ApprovalState;
}

/** What is said in a thread, in no surface's own format. `markdown` is CommonMark with tables. */
export type ChatMessage =
  /** `answerId` is the `agent.message` event that people may rate; null for what is not to be rated. */
  | { type: "text"; markdown: string; answerId: string | null }
  | { type: "notice"; level: "info" | "warning" | "error"; markdown: string }
  | { type: "status"; card: StatusCard }
  | { type: "approval"; card: ApprovalCard };

/** One that stays as it is. */
export type WordsMessage = Extract<ChatMessage, { type: "text" | "notice" }>;

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
  /** A link that anybody who has it can download the file with until it expires; null when the server gives out none. */
  link(signal: AbortSignal): Promise<FileLink | null>;
}

export interface FileLink {
  url: string;
  /** In ms since the epoch. */
  expiresAt: number;
}

/** An answer that people read while it is written. */
export interface AnswerStream {
  /** What is posted so far, to be named in `update` by whoever finishes it after a crash. */
  readonly ref: MessageRef;
  /**
   * Shows the whole text as it is now: each call's text begins with the last one's. May skip versions to keep the surface's
   * pace. Never rejects: a stream that the surface closed shows no more until `finish`.
   */
  show(markdown: string): void;
  /**
   * Makes it a lasting message with exactly these words, whatever became of the stream, and resolves when it is there.
   * Rejects as `post` does, and may then be called again.
   */
  finish(message: WordsMessage, marker: string): Promise<MessageRef>;
  /** Ends it without an answer: what it showed is taken back. Never rejects: what can't be taken back stays. */
  discard(): Promise<void>;
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
  /** Where what the agent is writing is shown: in the status, in a message of its own (`openStream`), or nowhere. */
  drafts: "status" | "stream" | "none";
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
  limits(thread: ChatThreadKey): SurfaceLimits;
  post(thread: ChatThreadKey, message: ChatMessage, marker: string, signal: AbortSignal): Promise<MessageRef>;
  /**
   * Replaces a message, its buttons and what it asked included; the marker it was posted with stays. Repeating it is
   * harmless. Resolves when the message is gone, too: there is nothing to update.
   */
  update(thread: ChatThreadKey, ref: MessageRef, message: ChatMessage, signal: AbortSignal): Promise<void>;
  /**
   * Begins an answer that is shown while it is written. Null where `limits.drafts` is not `stream`, or when the surface
   * can't do it now: the answer is then posted when it is whole.
   */
  openStream(thread: ChatThreadKey, signal: AbortSignal): Promise<AnswerStream | null>;
  /** All files in one message, with their previews where there are any; files it won't take come as links in that message. */
  upload(thread: ChatThreadKey, files: ChatFile[], marker: string, signal: AbortSignal): Promise<MessageRef>;
  /** What `post` or `upload` made with this marker; null when nothing, or not all of it, was made. */
  find(thread: ChatThreadKey, marker: string, signal: AbortSignal): Promise<MessageRef | null>;
  /** Shows a person that their message was taken in: at once, or to be read at the agent's next step. Idempotent. */
  acknowledge(thread: ChatThreadKey, messageId: string, how: "started" | "queued", signal: AbortSignal): Promise<void>;
}
