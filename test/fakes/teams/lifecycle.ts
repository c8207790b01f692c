import { CLIENT_INFO, envelope } from "./inbound.ts";
import type { Outbox, Sent } from "./outbox.ts";
import type { Stream, Streams } from "./streaming.ts";
import { conversationOf, userOf, type World } from "./world.ts";

/** What happens around conversations. They are named by key or id. */
export interface Lifecycle {
  /** `installationUpdate` with `add`, and the `conversationUpdate` beside it. */
  install(conversation: string, user: string): Sent[];
  /** From now on posts are 403 BotNotInConversationRoster. */
  uninstall(conversation: string, user: string): Sent[];
  /** The person blocks the bot, silently: posts are 403 ConversationBlockedByUser. */
  block(conversation: string): void;
  /** The native stop button under an answer that streams; the bot is told by the next 403 only. */
  stopStream(conversation: string): Stream;
  react(activityId: string, user: string, reaction: string): Sent;
}

export interface LifecycleDeps {
  world: World;
  outbox: Outbox;
  streams: Streams;
  serviceUrl(): string;
}

export function createLifecycle(deps: LifecycleDeps): Lifecycle {
  const { world, outbox, streams } = deps;
  const head = (conversationName: string, userName: string) => {
    const conversation = conversationOf(world, conversationName);
    const user = userOf(world, userName);
    const base = envelope(world, { conversation, user, rootId: null, serviceUrl: deps.serviceUrl(), wholeTeam: true });
    return { conversation, base: { ...base, id: `f:${world.nextId("event-")}` } };
  };
  const moved = (name: string, user: string, action: "add" | "remove"): Sent[] => {
    const { conversation, base } = head(name, user);
    conversation.botInRoster = action === "add";
    const members =
      action === "add" ? { membersAdded: [{ id: world.bot.id }] } : { membersRemoved: [{ id: world.bot.id }] };
    const { base: other } = head(name, user);
    return [
      outbox.send({ ...base, type: "installationUpdate", action, entities: [CLIENT_INFO] }),
      outbox.send({ ...other, type: "conversationUpdate", ...members }),
    ];
  };

  return {
    install: (conversation, user) => moved(conversation, user, "add"),
    uninstall: (conversation, user) => moved(conversation, user, "remove"),
    block(conversation) {
      conversationOf(world, conversation).blocked = true;
    },
    stopStream: (conversation) => streams.cancel(conversationOf(world, conversation)),
    react(activityId, user, reaction) {
      const activity = world.activities.find(({ id }) => id === activityId);
      if (!activity) throw new Error(`The fake Teams has no message ${activityId}.`);
      const { base } = head(activity.conversation.id, user);
      return outbox.send({
        ...base,
        type: "messageReaction",
        replyToId: activityId,
        reactionsAdded: [{ type: reaction }],
      });
    },
  };
}
