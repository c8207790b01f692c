import { z } from "zod";
import { type Call, type Method, method, writableChannel } from "../method.ts";
import { invalid, Refusal } from "../refusal.ts";
import { findMessage, type Message } from "../world.ts";
import { ts } from "../wire.ts";

const REACTIONS_MAX = 23;
const target = {
  channel: z.string(),
  timestamp: ts,
  name: z.string().regex(/^[a-z0-9_+'-]+(::skin-tone-[2-6])?$/, "an emoji's name without colons"),
};

const add = method({ scopes: ["reactions:write"], tier: 3 }, target, (call, args) => {
  const message = messageAt(call, args.channel, args.timestamp);
  const user = call.installation.botUserId;
  if (message.reactions.some((each) => each.user === user && each.name === args.name))
    throw new Refusal("already_reacted");
  if (new Set(message.reactions.map(({ name }) => name)).size >= REACTIONS_MAX)
    throw invalid("too_many_emoji", ["more kinds of reactions than a message takes"]);
  message.reactions.push({ name: args.name, user });
  announce(call, "reaction_added", message, args.name);
  return {};
});

const remove = method({ scopes: ["reactions:write"], tier: 2 }, target, (call, args) => {
  const message = messageAt(call, args.channel, args.timestamp);
  const user = call.installation.botUserId;
  const index = message.reactions.findIndex((each) => each.user === user && each.name === args.name);
  if (index === -1) throw new Refusal("no_reaction");
  message.reactions.splice(index, 1);
  announce(call, "reaction_removed", message, args.name);
  return {};
});

export const reactionMethods: Record<string, Method> = { "reactions.add": add, "reactions.remove": remove };

function messageAt(call: Call, channelId: string, timestamp: string): Message {
  const channel = writableChannel(call, channelId);
  const message = findMessage(call.world, channel.id, timestamp);
  if (!message) throw new Refusal("message_not_found");
  return message;
}

function announce({ world, installation, publish }: Call, type: string, message: Message, reaction: string): void {
  const channel = world.channels.get(message.channel);
  const item = { type: "message", channel: message.channel, ts: message.ts };
  const event = { type, user: installation.botUserId, reaction, item, item_user: message.user };
  if (channel) publish(channel, { ...event, event_ts: world.clock.nextTs() });
}
