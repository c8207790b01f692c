import { z } from "zod";

const Account = z.strictObject({
  id: z.string(),
  name: z.string().nullable().optional(),
  aadObjectId: z.string().nullable().optional(),
  role: z.string().optional(),
  isTargeted: z.boolean().optional(),
});

const ConversationAccount = z.strictObject({
  id: z.string(),
  name: z.string().optional(),
  conversationType: z.enum(["personal", "groupChat", "channel"]).optional(),
  isGroup: z.boolean().optional(),
  tenantId: z.string().optional(),
});

export const Attachment = z.strictObject({
  contentType: z.string().min(1),
  content: z.unknown().optional(),
  contentUrl: z.string().optional(),
  name: z.string().optional(),
  thumbnailUrl: z.string().optional(),
  id: z.string().optional(),
});
export type Attachment = z.infer<typeof Attachment>;

/** Its other fields belong to its type, and are looked at there. */
export const Entity = z.looseObject({ type: z.string().min(1) });
export type Entity = z.infer<typeof Entity>;

const ChannelData = z.strictObject({
  feedbackLoop: z.strictObject({ type: z.enum(["default", "custom"]) }).optional(),
  feedbackLoopEnabled: z.boolean().optional(),
  notification: z.strictObject({ alert: z.boolean().optional(), alertInMeeting: z.boolean().optional() }).optional(),
  tenant: z.strictObject({ id: z.string() }).optional(),
  channel: z.looseObject({ id: z.string() }).optional(),
  team: z.looseObject({ id: z.string() }).optional(),
  /** Streaming's fields, as the older documentation had them. */
  streamType: z.enum(["informative", "streaming", "final"]).optional(),
  streamSequence: z.number().int().optional(),
  streamId: z.string().optional(),
});

/**
 * What a bot sends. The Bot Connector ignores fields that it does not know; here they are refused, as they are a mistake of the
 * bot's. What an SDK adds by itself is among the known.
 */
export const OutboundActivity = z.strictObject({
  type: z.enum(["message", "typing"]),
  id: z.string().optional(),
  timestamp: z.string().optional(),
  localTimestamp: z.string().optional(),
  channelId: z.literal("msteams").optional(),
  serviceUrl: z.url().optional(),
  from: Account.optional(),
  recipient: Account.optional(),
  conversation: ConversationAccount.optional(),
  replyToId: z.string().optional(),
  locale: z.string().optional(),
  text: z.string().optional(),
  textFormat: z.enum(["markdown", "plain", "xml"]).optional(),
  summary: z.string().optional(),
  speak: z.string().optional(),
  inputHint: z.enum(["acceptingInput", "ignoringInput", "expectingInput"]).optional(),
  importance: z.enum(["low", "normal", "high", "urgent"]).optional(),
  deliveryMode: z.enum(["normal", "notification"]).optional(),
  attachmentLayout: z.enum(["list", "carousel"]).optional(),
  attachments: z.array(Attachment).optional(),
  entities: z.array(Entity).optional(),
  suggestedActions: z
    .strictObject({
      to: z.array(z.string()).optional(),
      actions: z.array(z.looseObject({ type: z.string(), title: z.string() })).max(6),
    })
    .optional(),
  channelData: ChannelData.optional(),
});
export type OutboundActivity = z.infer<typeof OutboundActivity>;

export const NewConversation = z.strictObject({
  isGroup: z.boolean().optional(),
  bot: Account.optional(),
  members: z.array(Account).optional(),
  topicName: z.string().optional(),
  tenantId: z.string().optional(),
  activity: OutboundActivity.optional(),
  channelData: ChannelData.optional(),
});
export type NewConversation = z.infer<typeof NewConversation>;
