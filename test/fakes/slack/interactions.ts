import type { Block } from "./blocks.ts";
import { messageWire } from "./message-wire.ts";
import type { MethodSettings } from "./method.ts";
import { viewWire } from "./methods/views.ts";
import type { Outbox, Sent } from "./outbox.ts";
import type { ResponseUrls } from "./response-urls.ts";
import { findMessage, type Installation, type Message, type User, type World } from "./world.ts";

export interface Press {
  channel: string;
  ts: string;
  user: string;
  actionId: string;
  /** For a select: the option's value. For feedback: `positive` or `negative`. */
  choose?: string;
}

/** What people press, call and fill in. Each of them waits for the app's acknowledgement with `done`. */
export interface Interactions {
  press(press: Press): Sent;
  command(given: { channel: string; user: string; command: string; text: string }): Sent;
  /** The message shortcut. */
  shortcut(given: { channel: string; ts: string; user: string; callbackId: string }): Sent;
  /** @param values as a view's state has them, by block and action */
  submitView(viewId: string, values: Record<string, Record<string, unknown>>): Sent;
  /** A trigger that no press came with, for a test of its own. */
  trigger(user: string): string;
}

export interface InteractionDeps {
  world: World;
  outbox: Outbox;
  responses: ResponseUrls;
  settings: MethodSettings;
}

export function createInteractions({ world, outbox, responses, settings }: InteractionDeps): Interactions {
  const trigger = (userId: string) => {
    const user = known(world.users.get(userId), `user ${userId}`);
    const id = world.nextId("trigger-");
    const expiresAt = world.clock.now() + settings.triggerLifetimeMs;
    settings.triggers.set(id, { expiresAt, user: user.id, teamId: homeTeam(world, user), used: false });
    return id;
  };
  const situation = (channelId: string, userId: string, messageTs: string | null) => {
    const channel = known(world.channels.get(channelId), `channel ${channelId}`);
    const user = known(world.users.get(userId), `user ${userId}`);
    const installation = known(
      world.installations.find(({ teamIds }) => channel.teamIds.some((team) => teamIds.includes(team))),
      `installation for ${channelId}`,
    );
    const response_url = responses.issue({
      channel: channel.id,
      user: user.id,
      botUserId: installation.botUserId,
      messageTs,
    });
    return { channel, user, installation, response_url, trigger_id: trigger(userId) };
  };

  return {
    trigger,
    press({ channel: channelId, ts, user: userId, actionId, choose }) {
      const message = known(findMessage(world, channelId, ts), `message ${ts} in ${channelId}`);
      const { channel, user, installation, ...ways } = situation(channelId, userId, ts);
      const action = actionOf(message, actionId, choose, world.clock.nextTs());
      return outbox.send("interactive", {
        type: "block_actions",
        ...who(world, settings.appId, installation, user),
        ...ways,
        container: {
          type: "message",
          message_ts: ts,
          channel_id: channelId,
          is_ephemeral: false,
          ...threadOf(message),
        },
        channel: { id: channel.id, name: channel.name },
        message: messageWire(world, message, settings.origin, true),
        state: { values: {} },
        actions: [action],
      });
    },
    command({ channel: channelId, user: userId, command, text }) {
      const { channel, user, installation, ...ways } = situation(channelId, userId, null);
      const team = world.teams.get(homeTeam(world, user));
      return outbox.send("command", {
        token: "verification-token-unused",
        team_id: team?.id,
        team_domain: team?.domain,
        ...(installation.enterpriseId !== null && {
          enterprise_id: installation.enterpriseId,
          enterprise_name: "Grid",
        }),
        channel_id: channel.id,
        channel_name: channel.kind === "im" ? "directmessage" : channel.name,
        user_id: user.id,
        user_name: user.name,
        command,
        text,
        api_app_id: settings.appId,
        is_enterprise_install: installation.isEnterprise,
        ...ways,
      });
    },
    shortcut({ channel: channelId, ts, user: userId, callbackId }) {
      const message = known(findMessage(world, channelId, ts), `message ${ts} in ${channelId}`);
      const { channel, user, installation, ...ways } = situation(channelId, userId, null);
      return outbox.send("interactive", {
        type: "message_action",
        callback_id: callbackId,
        ...who(world, settings.appId, installation, user),
        ...ways,
        action_ts: world.clock.nextTs(),
        message_ts: ts,
        channel: { id: channel.id, name: channel.name },
        message: messageWire(world, message, settings.origin, true),
      });
    },
    submitView(viewId, values) {
      const view = known(world.views.get(viewId), `view ${viewId}`);
      const user = known(world.users.get(view.user), `user ${view.user}`);
      const installation = known(
        world.installations.find(({ teamIds }) => teamIds.includes(view.teamId)),
        `installation for ${view.teamId}`,
      );
      const shown = { ...viewWire(view, settings.appId, installation.botId), state: { values } };
      const people = who(world, settings.appId, installation, user);
      const trigger_id = trigger(user.id);
      return outbox.send("interactive", {
        type: "view_submission",
        ...people,
        trigger_id,
        view: shown,
        response_urls: [],
      });
    },
  };
}

function who(world: World, appId: string, installation: Installation, user: User) {
  const team = world.teams.get(homeTeam(world, user));
  return {
    team: { id: team?.id, domain: team?.domain },
    enterprise: installation.enterpriseId === null ? null : { id: installation.enterpriseId, name: "Grid" },
    is_enterprise_install: installation.isEnterprise,
    user: { id: user.id, username: user.name, name: user.name, team_id: user.teamId },
    api_app_id: appId,
    token: "verification-token-unused",
  };
}

/** Of a stranger in a shared channel it is the first team that has the app. */
function homeTeam({ installations }: World, user: User): string {
  if (installations.some(({ teamIds }) => teamIds.includes(user.teamId))) return user.teamId;
  return installations[0]?.teamIds[0] ?? user.teamId;
}

function actionOf(message: Message, actionId: string, choose: string | undefined, action_ts: string) {
  for (const block of message.blocks) {
    const element = elementsOf(block).find((each) => "action_id" in each && each.action_id === actionId);
    if (!element) continue;
    const base = { type: element.type, action_id: actionId, block_id: block.block_id, action_ts };
    if (element.type === "button")
      return { ...base, text: element.text, ...(element.value !== undefined && { value: element.value }) };
    if (element.type === "feedback_buttons") {
      const pressed = choose === "negative" ? element.negative_button : element.positive_button;
      return { ...base, value: pressed.value, text: pressed.text };
    }
    return { ...base, selected_option: { value: choose, text: { type: "plain_text", text: choose } } };
  }
  throw new Error(`Nothing in message ${message.ts} has the action ${actionId}.`);
}

function elementsOf(block: Block) {
  if (block.type === "actions") return block.elements;
  if (block.type === "context_actions") return block.elements;
  return block.type === "section" && block.accessory ? [block.accessory] : [];
}

function threadOf({ threadTs }: Message) {
  return threadTs === null ? {} : { thread_ts: threadTs };
}

function known<T>(value: T | undefined, what: string): T {
  if (value === undefined) throw new Error(`The fake Slack has no ${what}.`);
  return value;
}
