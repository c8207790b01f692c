import { fileWire } from "./file-wire.ts";
import { APP_ID, type Message, type World } from "./world.ts";

/** A message, as events and answers show it. */
export function messageWire(world: World, message: Message, origin: string, withMetadata: boolean) {
  const replies = world.messages.filter((each) => each.channel === message.channel && each.threadTs === message.ts);
  const files = message.fileIds.flatMap((id) => world.files.get(id) ?? []);
  return {
    type: "message",
    ...(message.subtype !== null && { subtype: message.subtype }),
    user: message.user,
    ...(message.botId !== null && { bot_id: message.botId, app_id: APP_ID }),
    team: message.team,
    ts: message.ts,
    text: message.text,
    ...(message.blocks.length > 0 && { blocks: message.blocks }),
    ...(message.attachments.length > 0 && { attachments: message.attachments }),
    ...(files.length > 0 && { files: files.map((file) => fileWire(file, origin)), upload: false }),
    ...(message.threadTs !== null && { thread_ts: message.threadTs }),
    ...(replies.length > 0 && {
      thread_ts: message.ts,
      reply_count: replies.length,
      latest_reply: replies.at(-1)?.ts,
      reply_users: [...new Set(replies.map(({ user }) => user))],
    }),
    ...(message.edited !== null && { edited: message.edited }),
    ...(message.reactions.length > 0 && { reactions: reactionsWire(message) }),
    ...(withMetadata && message.metadata !== null && { metadata: message.metadata }),
  };
}

function reactionsWire({ reactions }: Message) {
  const names = [...new Set(reactions.map(({ name }) => name))];
  return names.map((name) => {
    const users = reactions.filter((each) => each.name === name).map(({ user }) => user);
    return { name, users, count: users.length };
  });
}
