import { z } from "zod";
import type { AttachmentRef } from "../shared/chat-source.ts";
import { chatThreadKey, type ChatThreadKey } from "../shared/chat-thread.ts";
import { installedTeam } from "./installed-team.ts";

const SlackFile = z.looseObject({
  id: z.string(),
  name: z.string().nullish(),
  title: z.string().nullish(),
  size: z.number().nullish(),
});

/** The parts of `message` and `app_mention` events that decide what becomes of them. */
export const MessageEvent = z.looseObject({
  type: z.enum(["message", "app_mention"]),
  subtype: z.string().nullish(),
  user: z.string().nullish(),
  bot_id: z.string().nullish(),
  text: z.string().nullish(),
  ts: z.string(),
  /** Slack also sends it empty where there is no thread. */
  thread_ts: z.string().nullish(),
  channel: z.string(),
  channel_type: z.string().nullish(),
  edited: z.unknown().optional(),
  hidden: z.boolean().nullish(),
  files: z.array(SlackFile).nullish(),
  attachments: z.array(z.looseObject({})).nullish(),
});
export type MessageEvent = z.infer<typeof MessageEvent>;

const EventCallback = z.looseObject({ event_id: z.string(), event: z.unknown() });

/** Why an event becomes nothing. */
export type DropReason =
  | "malformed"
  | "edited"
  | "subtype"
  /** Also other apps: two agents that answer each other would not end. */
  | "from_a_bot"
  | "not_addressed"
  | "empty";

export type InboundEvent =
  | {
      type: "keep";
      thread: ChatThreadKey;
      /** `ts`: a mention that arrives as `app_mention` and as `message` has the same in both. */
      messageId: string;
      /** `event_id`: the same when Slack delivers the event again. */
      receiptId: string;
      personId: string;
      addressed: boolean;
      attachments: AttachmentRef[];
      /** For its text. */
      event: MessageEvent;
    }
  | { type: "drop"; reason: DropReason };

/**
 * Subtypes that are something a person said: with a file, and a reply that was also sent to the channel. The others tell of
 * changes (`message_changed`, `message_deleted`), of the channel (`channel_join`), or come from bots.
 */
const SAID = new Set(["file_share", "thread_broadcast"]);
const SLACKBOT = "USLACKBOT";

/**
 * Pure: what a `message` or `app_mention` event, as the whole Events API body, is to us. An edit is never a new turn: Slack
 * sends an edited mention as another `app_mention` with `edited` and an `event_id` of its own.
 */
export function inboundEvent(body: unknown, botUserId: string): InboundEvent {
  const callback = EventCallback.safeParse(body);
  const parsed = MessageEvent.safeParse(callback.data?.event);
  const team = installedTeam(body);
  if (!callback.success || !parsed.success || team === null) return { type: "drop", reason: "malformed" };
  const event = parsed.data;
  const reason = dropReason(event, botUserId);
  if (reason) return { type: "drop", reason };
  return {
    type: "keep",
    thread: chatThreadKey({ surface: "slack", team, channel: event.channel, threadTs: event.thread_ts || event.ts }),
    messageId: event.ts,
    receiptId: callback.data.event_id,
    personId: event.user ?? "",
    addressed: isAddressed(event, botUserId),
    attachments: (event.files ?? []).map((file) => ({
      filename: file.name || file.title || file.id,
      ref: file.id,
      sizeBytes: file.size ?? null,
    })),
    event,
  };
}

function dropReason(event: MessageEvent, botUserId: string): DropReason | null {
  if (event.edited !== undefined && event.edited !== null) return "edited";
  if (event.subtype === "message_changed" || event.subtype === "message_deleted") return "edited";
  if (event.bot_id || event.subtype === "bot_message") return "from_a_bot";
  if (event.user === botUserId || event.user === SLACKBOT) return "from_a_bot";
  if (event.subtype && !SAID.has(event.subtype)) return "subtype";
  if (!event.user || event.hidden === true) return "malformed";
  if (isAddressed(event, botUserId)) return null;
  // A message of its own in a channel begins a thread that we have no part in.
  if (!event.thread_ts) return "not_addressed";
  const hasContent = event.text?.trim() || event.files?.length || event.attachments?.length;
  return hasContent ? null : "empty";
}

/** A `message` event counts like the `app_mention` of the same message, so it does not matter which comes first. */
function isAddressed(event: MessageEvent, botUserId: string): boolean {
  return event.type === "app_mention" || event.channel_type === "im" || mentions(event.text ?? "", botUserId);
}

/** `<@U0BOT>` and the older `<@U0BOT|name>`. */
function mentions(text: string, userId: string): boolean {
  return text.includes(`<@${userId}>`) || text.includes(`<@${userId}|`);
}
