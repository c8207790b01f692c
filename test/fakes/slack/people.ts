import { fileStub, fileWire } from "./file-wire.ts";
import { messageWire } from "./message-wire.ts";
import { type Outbox, type Sent, together } from "./outbox.ts";
import { removeMessage } from "./posting.ts";
import { type Channel, findMessage, type Message, type StoredFile, type World } from "./world.ts";

export interface SaidFile {
  name: string;
  bytes: Buffer;
  mimetype?: string;
}

export interface Saying {
  channel: string;
  user: string;
  text: string;
  threadTs?: string;
  files?: SaidFile[];
  /** Slack may leave the files out of the mention, or send no mention at all. */
  mentionWithFiles?: "yes" | "without_files" | "no_mention";
  /** Forwarded messages keep their text here. */
  attachments?: unknown[];
}

/** What people do in channels. Each resolves nothing by itself: wait for `done`, or for what the app does. */
export interface People {
  /** A message; in a channel, with the bot's mention, an `app_mention` beside it with the same ts. */
  say(saying: Saying): Sent & { ts: string };
  /** A mention among the new words fires `app_mention` again, with `edited` and a new event id. */
  edit(channel: string, ts: string, text: string): Sent;
  remove(channel: string, ts: string): Sent;
  react(channel: string, ts: string, user: string, reaction: string): Sent;
}

export function createPeople(world: World, outbox: Outbox, origin: () => string): People {
  const channelOf = (id: string): Channel => {
    const channel = world.channels.get(id);
    if (!channel) throw new Error(`The fake Slack has no channel ${id}.`);
    return channel;
  };
  const messageAt = (channel: string, ts: string): Message => {
    const message = findMessage(world, channel, ts);
    if (!message) throw new Error(`The fake Slack has no message ${ts} in ${channel}.`);
    return message;
  };

  return {
    say(saying) {
      const channel = channelOf(saying.channel);
      if (saying.threadTs !== undefined) messageAt(channel.id, saying.threadTs);
      const message = messageOf(world, saying);
      world.messages.push(message);
      const wire = eventWire(world, channel, message, origin());
      const parts = [outbox.event(channel, wire, { teamId: message.team })];
      if (saying.mentionWithFiles !== "no_mention" && channel.kind !== "im") {
        const { subtype: _, files, upload: __, ...mention } = wire;
        const shown = saying.mentionWithFiles === "without_files" || !files ? mention : { ...mention, files };
        parts.push(...mentions(world, outbox, channel, message.text, { ...shown, type: "app_mention" }));
      }
      return { ts: message.ts, ...together(parts) };
    },
    edit(channelId, ts, text) {
      const channel = channelOf(channelId);
      const message = messageAt(channelId, ts);
      const previous = messageWire(world, message, origin(), true);
      message.text = text;
      message.edited = { user: message.user, ts: world.clock.nextTs() };
      const changed = messageWire(world, message, origin(), true);
      const at = world.clock.nextTs();
      const head = {
        type: "message",
        subtype: "message_changed",
        hidden: true,
        channel: channelId,
        ts: at,
        event_ts: at,
      };
      const event = outbox.event(channel, { ...head, message: changed, previous_message: previous });
      const mention = { ...changed, type: "app_mention", channel: channelId, event_ts: at };
      return together([event, ...mentions(world, outbox, channel, text, mention)]);
    },
    remove(channelId, ts) {
      const message = messageAt(channelId, ts);
      const previous = messageWire(world, message, origin(), true);
      removeMessage({ world }, message);
      const at = world.clock.nextTs();
      const head = {
        type: "message",
        subtype: "message_deleted",
        hidden: true,
        channel: channelId,
        ts: at,
        event_ts: at,
      };
      return outbox.event(channelOf(channelId), { ...head, deleted_ts: ts, previous_message: previous });
    },
    react(channelId, ts, user, reaction) {
      const message = messageAt(channelId, ts);
      message.reactions.push({ name: reaction, user });
      const item = { type: "message", channel: channelId, ts };
      const event = { type: "reaction_added", user, reaction, item, item_user: message.user };
      return outbox.event(channelOf(channelId), { ...event, event_ts: world.clock.nextTs() });
    },
  };
}

function messageOf(world: World, { channel, user, text, threadTs, files = [], attachments = [] }: Saying): Message {
  const teamId = world.users.get(user)?.teamId;
  if (teamId === undefined) throw new Error(`The fake Slack has no user ${user}.`);
  const ts = world.clock.nextTs();
  const stored = files.map(({ name, bytes, mimetype = "application/octet-stream" }): StoredFile => {
    const id = world.nextId("F");
    return { id, name, title: name, mimetype, bytes, user, teamId, sharedIn: { channel, ts } };
  });
  for (const file of stored) world.files.set(file.id, file);
  return {
    channel,
    ts,
    team: teamId,
    user,
    botId: null,
    text,
    blocks: [],
    attachments,
    metadata: null,
    threadTs: threadTs ?? null,
    fileIds: stored.map(({ id }) => id),
    edited: null,
    reactions: [],
    subtype: stored.length > 0 ? "file_share" : null,
    ephemeralFor: null,
  };
}

/** In a channel shared with others, files come as stubs, and people with the team that they are of. */
function eventWire(world: World, channel: Channel, message: Message, origin: string) {
  const files = message.fileIds.flatMap((id) => world.files.get(id) ?? []);
  const shown = files.map((file) => (channel.extShared ? fileStub(file) : fileWire(file, origin)));
  return {
    ...messageWire(world, message, origin, true),
    client_msg_id: world.nextId("client-"),
    channel: channel.id,
    event_ts: message.ts,
    ...(channel.extShared && { user_team: message.team, source_team: message.team }),
    files: shown.length > 0 ? shown : undefined,
    upload: shown.length > 0 ? true : undefined,
    subtype: message.subtype ?? undefined,
  };
}

function mentions(
  world: World,
  outbox: Outbox,
  channel: Channel,
  text: string,
  event: Record<string, unknown>,
): Sent[] {
  const named = world.installations.filter(({ botUserId }) => text.includes(`<@${botUserId}>`));
  return named.map((installation) => outbox.event(channel, event, { installation }));
}
