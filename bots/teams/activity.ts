import { z } from "zod";

const ID_CHARS_MAX = 1_000;
const Id = z.string().min(1).max(ID_CHARS_MAX);

const Account = z.looseObject({ id: Id, name: z.string().nullish(), aadObjectId: z.string().min(1).nullish() });

const Entity = z.looseObject({
  type: z.string(),
  /** Of a `mention`. */
  mentioned: z.looseObject({ id: z.string().nullish(), name: z.string().nullish() }).nullish(),
  /** Of a `mention`: how it stands in the text. */
  text: z.string().nullish(),
});

export const InboundAttachment = z.looseObject({
  contentType: z.string(),
  contentUrl: z.string().nullish(),
  content: z.unknown().optional(),
  name: z.string().nullish(),
});
export type InboundAttachment = z.infer<typeof InboundAttachment>;

const ChannelData = z.looseObject({
  tenant: z.looseObject({ id: z.string().nullish() }).nullish(),
  team: z.looseObject({ id: z.string().nullish(), aadGroupId: z.string().nullish() }).nullish(),
  channel: z.looseObject({ id: z.string().nullish() }).nullish(),
  teamsTeamId: z.string().nullish(),
  teamsChannelId: z.string().nullish(),
});

/**
 * What the Bot Connector posts to us, as far as we read it. Wire facts: the Activity protocol, with what Teams makes of it.
 * Ids are opaque: of what kind a conversation is says `conversationType` alone.
 */
export const Activity = z.looseObject({
  type: z.string(),
  /** Of invokes, such as `adaptiveCard/action`. */
  name: z.string().nullish(),
  id: Id.nullish(),
  timestamp: z.string().nullish(),
  channelId: z.string(),
  serviceUrl: z.url(),
  from: Account,
  recipient: Account.extend({ isTargeted: z.boolean().nullish() }),
  conversation: z.looseObject({
    id: Id,
    conversationType: z.string().nullish(),
    isGroup: z.boolean().nullish(),
    tenantId: z.string().nullish(),
  }),
  text: z.string().nullish(),
  textFormat: z.string().nullish(),
  locale: z.string().nullish(),
  entities: z.array(Entity).nullish(),
  attachments: z.array(InboundAttachment).nullish(),
  /** Of invokes, and of a message that is the press of an `Action.Submit`. */
  value: z.unknown().optional(),
  /** The message whose card was pressed. */
  replyToId: z.string().nullish(),
  channelData: ChannelData.nullish(),
  /** Of `installationUpdate`: `add`, `remove`, and either with `-upgrade`. */
  action: z.string().nullish(),
  /** Of `conversationUpdate`. */
  membersRemoved: z.array(z.looseObject({ id: z.string() })).nullish(),
});
export type Activity = z.infer<typeof Activity>;

/** `value` of the invoke `adaptiveCard/action`. */
export const ExecuteValue = z.looseObject({
  action: z.looseObject({ verb: z.string().nullish(), data: z.unknown().optional() }),
});

const Said = z
  .string()
  .nullish()
  .transform((text) => text ?? "");
const UploadInfo = z.object({
  uploadUrl: z.url(),
  contentUrl: Said,
  name: Said,
  uniqueId: Said,
  fileType: Said,
});
/** Where Teams wants a file. Lets anybody write there who has it. */
export type UploadInfo = z.infer<typeof UploadInfo>;

/** `value` of the invoke `fileConsent/invoke`. `context` is what our card said. */
export const ConsentValue = z.looseObject({
  action: z.enum(["accept", "decline"]),
  context: z.looseObject({ consent_id: z.string().min(1) }),
  uploadInfo: UploadInfo.nullish(),
});

/** `value` of the invoke `message/submitAction`, under an answer that asks for feedback. */
export const FeedbackValue = z.looseObject({
  actionName: z.literal("feedback"),
  actionValue: z.looseObject({ reaction: z.enum(["like", "dislike"]) }),
});
