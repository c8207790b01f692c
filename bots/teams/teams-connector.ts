import { z } from "zod";

export const ConversationRef = z.object({
  /** From a verified activity, and from nothing else: our token goes there. May change, so the latest one counts. */
  serviceUrl: z.url(),
  tenantId: z.string(),
  /** As the Bot Connector has it: in a channel without its `;messageid=` part. */
  conversationId: z.string(),
  kind: z.enum(["personal", "groupChat", "channel"]),
  bot: z.object({ id: z.string(), name: z.string().nullable() }),
  /** The other one in a personal chat. */
  user: z.object({ id: z.string(), aadObjectId: z.string().nullable(), name: z.string().nullable() }).nullable(),
  /** Of a channel: the team's group in Entra, as Graph names it, and the channel. */
  team: z.object({ id: z.string(), aadGroupId: z.string().nullable(), channelId: z.string() }).nullable(),
  locale: z.string().nullable(),
});
/** Where to post. */
export type ConversationRef = z.infer<typeof ConversationRef>;

/** An activity on its way out, in the words of the Activity protocol. */
export interface OutboundActivity {
  type: "message" | "typing";
  text?: string;
  textFormat?: "markdown" | "plain" | "xml";
  summary?: string;
  attachments?: { contentType: string; content?: unknown; contentUrl?: string; name?: string }[];
  /** Kept whole on the wire: streaming, citations and the AI label live in fields that a mapper may not know. */
  entities?: Record<string, unknown>[];
  channelData?: Record<string, unknown>;
  importance?: "normal" | "high";
}

export interface TeamsMember {
  /** `29:…`, of this bot alone. */
  id: string;
  aadObjectId: string | null;
  name: string;
  email: string | null;
  userRole: string | null;
  tenantId: string | null;
}

/** What was told when the Bot Connector refused. */
export interface TeamsRefusal {
  status: number;
  /** Such as `BotNotInConversationRoster`, `ContentStreamNotAllowed`. */
  code: string | null;
  message: string;
}

/** The Bot Connector said no, and trying again as it is won't help. */
export class TeamsRefusedError extends Error {
  override readonly name = "TeamsRefusedError";
  readonly refusal: TeamsRefusal;

  constructor(what: string, refusal: TeamsRefusal) {
    super(`Teams refused ${what}: ${refusal.status} ${refusal.code ?? ""} ${refusal.message}`.replace(/\s+/g, " "));
    this.refusal = refusal;
  }
}

/**
 * The Bot Connector, in our words; no type of the package behind it crosses this port. Each call has a timeout of its own and
 * never retries. RetryableError: 408, 412, 429 (with its Retry-After), 5xx, a timeout and the network. TeamsRefusedError: the rest.
 * The signal's reason when it aborts.
 */
export interface TeamsConnector {
  /**
   * Resolves when the request comes from the Bot Connector, for this bot and about this `serviceUrl`.
   * @throws AppError `authentication` when it does not, without saying more than the caller knows; RetryableError when that
   * can't be told now
   */
  authenticate(authorization: string | undefined, activity: unknown): Promise<void>;
  /**
   * Posts into a conversation; in a channel, into the thread of `rootId`. Resolves with the activity's id, empty
   * where the answer has none, as of a stream that goes on.
   */
  send(ref: ConversationRef, rootId: string | null, activity: OutboundActivity, signal: AbortSignal): Promise<string>;
  update(
    ref: ConversationRef,
    rootId: string | null,
    activityId: string,
    activity: OutboundActivity,
    signal: AbortSignal,
  ): Promise<void>;
  remove(ref: ConversationRef, rootId: string | null, activityId: string, signal: AbortSignal): Promise<void>;
  /** Shows it to one person only; not in personal chats. */
  sendTargeted(
    ref: ConversationRef,
    rootId: string | null,
    userId: string,
    activity: OutboundActivity,
    signal: AbortSignal,
  ): Promise<void>;
  /**
   * `userId` is an `aadObjectId` or an id of Teams. In the anonymous mode, somebody whom the client does not tell of is taken
   * for what they say they are.
   */
  member(ref: ConversationRef, userId: string, signal: AbortSignal): Promise<TeamsMember>;
  /** What Teams tells of a channel's team; nothing where the conversation is in none. */
  team(ref: ConversationRef, signal: AbortSignal): Promise<{ aadGroupId: string | null }>;
  /**
   * A token of the app for Graph, or for the Bot Connector's own files. Never logged, never stored.
   * @throws TerminalError when Microsoft refuses the app's credential, which every other call may throw as well; AppError
   * `authentication` in the anonymous mode, which has no tokens
   */
  token(audience: "graph" | "connector", tenantId: string, signal: AbortSignal): Promise<string>;
}
