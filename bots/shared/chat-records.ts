import type { ZodError } from "zod";
import type { ChannelPolicy, PolicySettings } from "./channel-policy.ts";
import type { ChatPlaceKey } from "./chat-place.ts";
import type { AttachmentRef } from "./chat-source.ts";
import type { ChatThreadKey } from "./chat-thread.ts";
import type { InboundItem } from "./inbound-item.ts";
import type { Person } from "./person.ts";

export interface PendingItem {
  messageId: string;
  item: InboundItem;
  /** Attempts before this one. Also tells this claim from every other one. */
  attempts: number;
  /** How long ago it was kept. */
  waitedMs: number;
}

/** The right to deal with an item. */
export type ItemClaim = Pick<PendingItem, "messageId" | "attempts">;

/** What is kept of an item is none that this version knows, nor will be. Says nothing of what is in it. */
export class UnreadableItemError extends Error {
  override readonly name = "UnreadableItemError";
  readonly messageId: string;
  /** Where it is wrong. */
  readonly fields: string[];

  constructor(messageId: string, { issues }: ZodError) {
    super(`What is kept of ${messageId} can't be read.`);
    this.messageId = messageId;
    this.fields = issues.map(({ path }) => path.join("."));
  }
}

/** What people did, kept from the moment it was acknowledged until it was dealt with. */
export interface Inbox {
  /**
   * False when this delivery (`receiptId`) or this message was kept before. Durable when it resolves. With a message that
   * files may follow, an item for those is kept too. It may be claimed after a while, when nothing has brought them.
   */
  keep(thread: ChatThreadKey, messageId: string, item: InboundItem, receiptId: string | null): Promise<boolean>;
  /**
   * Says which files, perhaps none, a message has that files may follow; without effect when that was said before, or none
   * may follow. True when there are now files to be claimed.
   */
  bringFiles(thread: ChatThreadKey, messageId: string, attachments: readonly AttachmentRef[]): Promise<boolean>;
  /** Whether anything was ever kept of this thread, so that it may be one that the agent is in. */
  knows(thread: ChatThreadKey): Promise<boolean>;
  /**
   * The thread's oldest item that was not dealt with, claimed for `ttlMs`; null when there is none that may be claimed now.
   * Messages are claimed one at a time, and so are decisions and stops. A message waits for the decisions and stops that
   * were tried at most twice; those wait for no message, not even for one that is claimed. Files wait for the messages
   * before them, and hold up none. A postponed item keeps its place.
   * @throws UnreadableItemError, with the item claimed
   */
  claimNext(thread: ChatThreadKey, ttlMs: number): Promise<PendingItem | null>;
  /** Holds a claim longer. False when it is over: the item was dropped or settled, or another has claimed it. */
  renew(thread: ChatThreadKey, claim: ItemClaim, ttlMs: number): Promise<boolean>;
  /**
   * Dealt with. `eventId` is what it became in the session, if anything, and is noted in any case. False when the item was
   * dropped before, or settled as nothing.
   */
  settle(thread: ChatThreadKey, messageId: string, eventId: string | null): Promise<boolean>;
  /** Gives a claim back, for another attempt in `delayMs` at the earliest. No effect when the claim is over. */
  postpone(thread: ChatThreadKey, claim: ItemClaim, delayMs: number): Promise<void>;
  /** Whether a message waits that was said to the agent. */
  awaits(thread: ChatThreadKey): Promise<boolean>;
  /**
   * Settles every message that was kept before this stop, with its files, claimed ones too. Returns how many messages the
   * stop has dropped, with those of calls before.
   */
  dropMessages(thread: ChatThreadKey, stopId: string): Promise<number>;
  /** Threads of these surfaces with items that may be claimed now, oldest first. */
  unsettled(surfaces: readonly string[], limit: number): Promise<ChatThreadKey[]>;
  /** Forgets receipts, and settled items that became nothing, older than this. */
  forget(olderThanMs: number): Promise<void>;
}

export interface PolicyStore {
  /** The policy that holds in a place. */
  of(place: ChatPlaceKey): Promise<ChannelPolicy>;
  settings(place: ChatPlaceKey): Promise<PolicySettings | null>;
  set(place: ChatPlaceKey, settings: PolicySettings): Promise<void>;
  unset(place: ChatPlaceKey): Promise<boolean>;
  list(): Promise<{ place: ChatPlaceKey; settings: PolicySettings }[]>;
}

export type ApprovalDecision = "allow" | "deny" | "expired";

export interface Approval {
  toolUseId: string;
  thread: ChatThreadKey;
  sessionId: string;
  requester: string | null;
  toolName: string;
  expiresAt: Date;
  decision: ApprovalDecision | null;
  decidedBy: { id: string; name: string } | null;
  decidedAt: Date | null;
  reason: string | null;
  /** The session knows. */
  sent: boolean;
}

export interface ApprovalStore {
  /** Idempotent: the first call counts. Returns what is kept. */
  ask(approval: {
    toolUseId: string;
    thread: ChatThreadKey;
    sessionId: string;
    place: ChatPlaceKey | null;
    requester: string | null;
    toolName: string;
    expiresAt: Date;
  }): Promise<Approval>;
  find(toolUseId: string): Promise<Approval | null>;
  /**
   * Those that nobody has decided on, oldest first. With `heard`, the id of an item in the inbox, only those that were asked
   * by the time it was kept: nobody's words can be about what was asked later.
   */
  open(thread: ChatThreadKey, heard?: string): Promise<Approval[]>;
  /**
   * The first decision counts; false when there was one. `by` is null when time decided. A person's comes too late once
   * `expiresAt` is over: it is then noted as `expired`, and false.
   */
  decide(
    toolUseId: string,
    decision: ApprovalDecision,
    by: { id: string; name: string } | null,
    reason: string | null,
  ): Promise<boolean>;
  markSent(toolUseId: string): Promise<void>;
  /** Of these surfaces: open ones whose time is over, and decided ones that the session was not told of within `staleMs`. */
  due(surfaces: readonly string[], staleMs: number, limit: number): Promise<Approval[]>;
}

/** A thread with a session, as lists show it. */
export interface ThreadSummary {
  thread: ChatThreadKey;
  sessionId: string;
  title: string;
  requester: string | null;
  state: "working" | "waiting" | "done" | "stopped" | "failed";
  activeAt: Date;
}

/** How much of a thread its session knows. */
export interface Reading {
  sessionId: string | null;
  /** Who began the session; null while nobody has. */
  requester: string | null;
  /** The latest message that the session was told; null before the first. */
  seenMessageId: string | null;
  /** Somebody other than the requester was among those it heard. */
  severalPeople: boolean;
  /** Something of the session is on its way into the thread. */
  busy: boolean;
}

/** What is known of threads beyond what delivery needs, for lists and for who may do what. */
export interface ThreadDirectory {
  /** What the thread's session was told so far. Makes no record of a thread that is new. */
  reading(thread: ChatThreadKey): Promise<Reading>;
  /**
   * Notes that the session was told of the thread up to this message, by others than its requester too when `others`. No
   * effect when the thread has left that session.
   */
  told(thread: ChatThreadKey, sessionId: string, upTo: { messageId: string; others: boolean }): Promise<void>;
  /**
   * Notes who began the session that the thread has now, and where. The first call for a session counts; all of it is
   * forgotten when the thread leaves the session.
   */
  began(thread: ChatThreadKey, by: { place: ChatPlaceKey | null; requester: string; title: string }): Promise<void>;
  /** Notes what the session is at. */
  reached(thread: ChatThreadKey, state: ThreadSummary["state"]): Promise<void>;
  summary(thread: ChatThreadKey): Promise<ThreadSummary | null>;
  /** Latest first. With `running`, only those that work or wait. */
  list(filter: {
    team?: ChatPlaceKey;
    place?: ChatPlaceKey;
    requester?: string;
    running?: boolean;
    limit: number;
  }): Promise<ThreadSummary[]>;
  /** The agent that the next session of this thread runs; null for what the policy says. */
  chosenAgent(thread: ChatThreadKey): Promise<string | null>;
  chooseAgent(thread: ChatThreadKey, agentId: string | null): Promise<void>;
}

/** How often a session's answers were rated up and down. */
export interface RatingSums {
  up: number;
  down: number;
}

export interface RatingStore {
  /** A person's latest word on an answer counts. Returns how all of the session's answers were rated. */
  rate(rating: {
    thread: ChatThreadKey;
    eventId: string;
    sessionId: string;
    person: string;
    value: "up" | "down";
  }): Promise<RatingSums>;
  sums(sessionId: string): Promise<RatingSums>;
}

export interface SpendStore {
  /** Notes what a session has cost so far, in all; the part that is new counts for the current month. Idempotent. */
  record(spend: {
    sessionId: string;
    place: ChatPlaceKey | null;
    requester: string | null;
    totalCents: number;
    totalTokens: number;
  }): Promise<void>;
  /** Of a calendar month (`2026-11`, UTC). A team's place counts all of its channels. */
  sum(
    month: string,
    filter: { place?: ChatPlaceKey; requester?: string; team?: ChatPlaceKey },
  ): Promise<{ costCents: number; tokens: number; sessions: number }>;
}

export type AuditAction = "session_started" | "approval_decided" | "request_denied" | "interrupted" | "policy_changed";

export interface AuditStore {
  record(entry: {
    action: AuditAction;
    place: ChatPlaceKey | null;
    thread: ChatThreadKey | null;
    sessionId: string | null;
    person: Pick<Person, "id" | "name" | "email"> | null;
    detail: Record<string, unknown>;
  }): Promise<void>;
  /** Latest first. A team's place stands for all of its channels. */
  list(filter: { place?: ChatPlaceKey; sessionId?: string; limit: number }): Promise<AuditEntry[]>;
}

export interface AuditEntry {
  at: Date;
  action: string;
  place: string | null;
  thread: string | null;
  sessionId: string | null;
  person: string | null;
  personName: string | null;
  email: string | null;
  detail: unknown;
}

/** What the bots of Slack and Teams remember beyond `ChatStore`. In Postgres; a method that resolved is durable. */
export interface ChatRecords {
  inbox: Inbox;
  policies: PolicyStore;
  approvals: ApprovalStore;
  directory: ThreadDirectory;
  ratings: RatingStore;
  spend: SpendStore;
  audit: AuditStore;
}
