import { z } from "zod";

const AttachmentRef = z.object({ filename: z.string(), ref: z.string(), sizeBytes: z.number().nullable() });

/** Something a person did in a chat, as it is kept until it is dealt with: in the row of its thread and message id. */
export const InboundItem = z.discriminatedUnion("type", [
  z.object({
    type: z.literal("message"),
    personId: z.string(),
    /** As the agent should read it: mentions of the agent gone, names for ids. */
    text: z.string(),
    attachments: z.array(AttachmentRef),
    /** It was said to the agent: by a mention, in a direct message, by a shortcut. Others only count in a thread it is in. */
    addressed: z.boolean(),
    /** Names the agent that a new session runs; null for the one that policy or `use` names. */
    agentId: z.string().nullable(),
    /** The surface's name of what it should react to; null for the message itself being none, as from a modal. */
    reactTo: z.string().nullable(),
    /** The surface may have left its files out of this delivery: see `Inbox.bringFiles`. Missing where it does not do that. */
    filesMayFollow: z.boolean().optional(),
    /** It was said where the thread does not show it, as in a modal: the thread is told who asks for what. */
    handedOver: z.boolean().optional(),
  }),
  /** What files came with a message that was kept without any. */
  z.object({
    type: z.literal("files"),
    personId: z.string(),
    /** The message that they belong to. */
    of: z.string(),
    /** Null until the surface has told, or was asked. */
    attachments: z.array(AttachmentRef).nullable(),
  }),
  z.object({
    type: z.literal("decision"),
    personId: z.string(),
    toolUseId: z.string(),
    decision: z.enum(["allow", "deny"]),
    reason: z.string().nullable(),
  }),
  /** Ends what runs, and drops what waits to be taken in. */
  z.object({
    type: z.literal("stop"),
    personId: z.string(),
    /** Of a stop in words: as of a message, and it is answered. Missing for buttons, reactions and the like. */
    addressed: z.boolean().optional(),
    /** How many messages it has dropped: noted with the drop, so that another attempt can say so. */
    dropped: z.number().optional(),
  }),
]);
export type InboundItem = z.infer<typeof InboundItem>;
