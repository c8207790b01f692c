import type { MessageRef } from "./chat-surface.ts";
import type { ChatThreadKey } from "./chat-thread.ts";

/** The last event whose turn was delivered in full. */
export interface Cursor {
  eventId: string;
  /** Its `processed_at`. */
  at: string;
}

export interface ThreadRecord {
  sessionId: string | null;
  /** Counts the sessions this thread has left behind. */
  generation: number;
  cursor: Cursor | null;
  /** Counts the calls of `wake`. */
  wakes: number;
  /** Something is on its way into the thread. */
  busy: boolean;
}

/** The right to create a thread's session. */
export interface SessionReservation {
  generation: number;
  /** Since when somebody tried to create the session of this generation and may have died in between; null for the first. */
  triedSince: Date | null;
}

export interface Intent {
  /** Null until it is known to be posted. */
  ref: MessageRef | null;
  /** This call wrote the row, so nobody can have posted it before. */
  fresh: boolean;
}

/** Which session a thread talks to. */
export interface ThreadStore {
  /** Makes the record when it is missing. */
  open(key: ChatThreadKey): Promise<ThreadRecord>;
  /** Null when the thread has a session, or somebody else holds the reservation. Lapses after `ttlMs`. */
  reserveSession(key: ChatThreadKey, owner: string, ttlMs: number): Promise<SessionReservation | null>;
  /** Gives the thread its session. False, with nothing changed, when the reservation is no longer the owner's. */
  bindSession(key: ChatThreadKey, owner: string, sessionId: string): Promise<boolean>;
  /** Lets others try at once. No effect when the reservation is not the owner's. */
  cancelReservation(key: ChatThreadKey, owner: string): Promise<void>;
  /** Leaves this session behind, with its cursor. No effect when the thread has another one by now. */
  detachSession(key: ChatThreadKey, sessionId: string): Promise<void>;
}

/** What was brought into a thread, and who is at it. */
export interface DeliveryStore {
  /** Notes that there is something to deliver, and ends a postponement. Must be durable before anyone is told to deliver. */
  wake(key: ChatThreadKey): Promise<void>;
  /** Takes or renews the lease; false when somebody else holds it. */
  lease(key: ChatThreadKey, owner: string, ttlMs: number): Promise<boolean>;
  /**
   * Gives the lease back. With `wakes`, only if no wake came since that count was read, which is then noted as
   * delivered; false when one did, and the lease is kept. With null, nothing is noted.
   */
  release(key: ChatThreadKey, owner: string, wakes: number | null): Promise<boolean>;
  /**
   * Keeps the thread out of `undelivered` for `delayMs`. It can be leased all the same, by whoever is told of a wake. No
   * effect while somebody holds the lease.
   */
  postpone(key: ChatThreadKey, delayMs: number): Promise<void>;
  /** False, with nothing changed, when the thread has left that session. */
  moveCursor(key: ChatThreadKey, sessionId: string, cursor: Cursor): Promise<boolean>;
  /** Writes down that this item is about to be posted, with these files. Idempotent: the first call counts. */
  intend(key: ChatThreadKey, item: string, fileIds?: string[]): Promise<Intent>;
  /** Writes down that it was; with null, that it is not there any more. */
  settle(key: ChatThreadKey, item: string, ref: MessageRef | null): Promise<void>;
  /** Every file of an intent of this thread, with the item that it is part of. */
  files(key: ChatThreadKey): Promise<Map<string, string>>;
  /** Threads of these surfaces that were woken, have nobody at work and are not postponed. */
  undelivered(surfaces: readonly string[], limit: number): Promise<ChatThreadKey[]>;
}

/** Which messages of people were taken in. */
export interface InboundStore {
  /**
   * `new` the first time; `unfinished` when an earlier attempt began at least `staleMs` ago and was never settled;
   * `duplicate` otherwise. Of concurrent callers at most one gets something other than `duplicate`.
   */
  claim(key: ChatThreadKey, messageId: string, staleMs: number): Promise<"new" | "unfinished" | "duplicate">;
  /** Taken in. `eventId` is the session event it became; null when it became none. */
  settle(key: ChatThreadKey, messageId: string, eventId: string | null): Promise<void>;
  /** Those of `eventIds` that a message of this thread became. */
  knownEvents(key: ChatThreadKey, eventIds: string[]): Promise<Set<string>>;
  /** Ends an attempt that failed: the next claim gets `unfinished` at once. No effect once settled. */
  abandon(key: ChatThreadKey, messageId: string): Promise<void>;
}

/** The chat core's memory. Contract, checked by `test/contracts/chat-store.ts`: a method that resolved is durable. */
export interface ChatStore {
  threads: ThreadStore;
  deliveries: DeliveryStore;
  inbound: InboundStore;
}
