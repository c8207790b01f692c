import { z } from "zod";
import { messageWire } from "../message-wire.ts";
import { metadata, refuseLargeMetadata } from "../metadata.ts";
import { type Call, type Method, method, threadRoot, visibleChannel, writableChannel } from "../method.ts";
import { contents, named, ownMessage, postAsApp, refuseContents, refuseLongUpdate, removeMessage } from "../posting.ts";
import { invalid, Refusal } from "../refusal.ts";
import { findMessage } from "../world.ts";
import { flag, ts } from "../wire.ts";

const looks = {
  parse: z.enum(["full", "none"]).optional(),
  link_names: flag.optional(),
};
const WRITE = ["chat:write"];

const postMessage = method(
  { scopes: WRITE, tier: "posting" },
  {
    channel: z.string(),
    ...contents,
    ...looks,
    thread_ts: ts.optional(),
    reply_broadcast: flag.optional(),
    metadata: metadata.optional(),
    mrkdwn: flag.optional(),
    unfurl_links: flag.optional(),
    unfurl_media: flag.optional(),
  },
  (call, args) => {
    refuseContents(args);
    refuseLargeMetadata(args.metadata);
    const message = postAsApp(call, args.channel, { ...args, threadTs: args.thread_ts });
    const wire = messageWire(call.world, message, call.settings.origin, true);
    return { channel: message.channel, ts: message.ts, message: wire };
  },
);

const update = method(
  { scopes: WRITE, tier: 3 },
  { channel: z.string(), ts, ...contents, ...looks, metadata: metadata.optional(), reply_broadcast: flag.optional() },
  (call, args) => {
    refuseContents(args);
    refuseLongUpdate(args.text);
    refuseLargeMetadata(args.metadata);
    const message = ownMessage(call, args.channel, args.ts, "cant_update_message");
    if (call.world.streams.get(`${message.channel}:${message.ts}`)?.open) throw new Refusal("streaming_state_conflict");
    const before = messageWire(call.world, message, call.settings.origin, true);
    // Slack's pages disagree on whether blocks that are not mentioned stay. So an app has to say it.
    if (message.blocks.length > 0 && !args.blocks)
      throw invalid("invalid_arguments", ["an update that does not say what becomes of the message's blocks"]);
    message.text = args.markdown_text ?? args.text ?? "";
    message.blocks = named(args.blocks ?? []);
    message.attachments = args.attachments ?? message.attachments;
    message.metadata = args.metadata ?? message.metadata;
    message.edited = { user: message.user, ts: call.world.clock.nextTs() };
    publishChange(call, message.channel, before, message.ts);
    const wire = messageWire(call.world, message, call.settings.origin, true);
    return { channel: message.channel, ts: message.ts, text: message.text, message: wire };
  },
);

const remove = method({ scopes: WRITE, tier: 3 }, { channel: z.string(), ts }, (call, args) => {
  const message = ownMessage(call, args.channel, args.ts, "cant_delete_message");
  const previous = messageWire(call.world, message, call.settings.origin, true);
  removeMessage(call, message);
  const event = { type: "message", subtype: "message_deleted", hidden: true, channel: message.channel };
  publishIn(call, message.channel, { ...event, deleted_ts: message.ts, previous_message: previous });
  return { channel: message.channel, ts: message.ts };
});

const getPermalink = method({ scopes: [], tier: "posting" }, { channel: z.string(), message_ts: ts }, (call, args) => {
  const channel = visibleChannel(call, args.channel);
  const message = findMessage(call.world, channel.id, args.message_ts);
  if (!message) throw new Refusal("message_not_found");
  const domain = call.world.teams.get(message.team)?.domain ?? "unknown";
  const thread = message.threadTs === null ? "" : `?thread_ts=${message.threadTs}&cid=${channel.id}`;
  const permalink = `https://${domain}.slack.com/archives/${channel.id}/p${message.ts.replace(".", "")}${thread}`;
  return { channel: channel.id, permalink };
});

const postEphemeral = method(
  { scopes: WRITE, tier: 4 },
  { channel: z.string(), user: z.string(), ...contents, ...looks, thread_ts: ts.optional() },
  (call, args) => {
    refuseContents(args);
    const channel = writableChannel(call, args.channel);
    if (!channel.members.includes(args.user)) throw new Refusal("user_not_in_channel");
    if (args.thread_ts !== undefined) threadRoot(call, channel.id, args.thread_ts);
    const { world, installation } = call;
    const message_ts = world.clock.nextTs();
    world.messages.push({
      channel: channel.id,
      ts: message_ts,
      team: installation.id,
      user: installation.botUserId,
      botId: installation.botId,
      text: args.markdown_text ?? args.text ?? "",
      blocks: named(args.blocks ?? []),
      attachments: args.attachments ?? [],
      metadata: null,
      threadTs: args.thread_ts ?? null,
      fileIds: [],
      edited: null,
      reactions: [],
      subtype: null,
      ephemeralFor: args.user,
    });
    return { message_ts };
  },
);

export const chatMethods: Record<string, Method> = {
  "chat.postMessage": postMessage,
  "chat.update": update,
  "chat.delete": remove,
  "chat.getPermalink": getPermalink,
  "chat.postEphemeral": postEphemeral,
};

function publishChange(call: Call, channel: string, previous: Record<string, unknown>, messageTs: string): void {
  const changed = findMessage(call.world, channel, messageTs);
  if (!changed) return;
  const event = { type: "message", subtype: "message_changed", hidden: true, channel };
  const message = messageWire(call.world, changed, call.settings.origin, true);
  publishIn(call, channel, { ...event, message, previous_message: previous });
}

function publishIn(call: Call, channelId: string, event: Record<string, unknown>): void {
  const channel = call.world.channels.get(channelId);
  const at = call.world.clock.nextTs();
  if (channel) call.publish(channel, { ...event, ts: at, event_ts: at });
}
