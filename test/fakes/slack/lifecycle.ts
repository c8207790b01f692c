import type { MethodSettings } from "./method.ts";
import { viewWire } from "./methods/views.ts";
import { type Outbox, type Sent, together } from "./outbox.ts";
import type { Installation, World } from "./world.ts";

/** What happens around conversations. */
export interface Lifecycle {
  openHome(user: string, tab: "home" | "messages"): Sent;
  /** The native stop button: Slack ends the thread's streams by itself. */
  stopSession(given: { channel: string; threadTs: string; user: string }): Sent;
  /** @param installation a team's id, or an enterprise's */
  uninstall(installation: string): Sent;
  revokeTokens(installation: string): Sent;
}

export function createLifecycle(world: World, outbox: Outbox, settings: MethodSettings): Lifecycle {
  const installed = (id: string): Installation => {
    const installation = world.installations.find((each) => each.id === id);
    if (!installation) throw new Error(`The fake Slack's app is not installed in ${id}.`);
    return installation;
  };
  const revoke = (installation: Installation) => {
    for (const token of world.tokens.values()) if (token.installation === installation) token.revoked = true;
    const event = { type: "tokens_revoked", tokens: { oauth: [], bot: [installation.botUserId] } };
    return outbox.event(null, { ...event, event_ts: world.clock.nextTs() }, { installation });
  };

  return {
    openHome(userId, tab) {
      const user = world.users.get(userId);
      const installation = world.installations.find(({ teamIds }) => user && teamIds.includes(user.teamId));
      if (!user || !installation) throw new Error(`Nobody called ${userId} has the app.`);
      const view = world.homes.get(`${user.teamId}:${user.id}`);
      const direct = [...world.channels.values()].find(
        ({ kind, members }) => kind === "im" && members.includes(user.id) && members.includes(installation.botUserId),
      );
      const channel = direct?.id ?? world.nextId("D");
      const event = { type: "app_home_opened", user: user.id, channel, tab, event_ts: world.clock.nextTs() };
      const shown = tab === "home" && view ? { view: viewWire(view, settings.appId, installation.botId) } : {};
      return outbox.event(null, { ...event, ...shown }, { installation });
    },
    stopSession({ channel: channelId, threadTs, user }) {
      const channel = world.channels.get(channelId);
      if (!channel) throw new Error(`The fake Slack has no channel ${channelId}.`);
      const streaming = [...world.streams.values()].filter(
        ({ channel: at, ts, open }) =>
          open && at === channelId && world.messages.some((each) => each.ts === ts && each.threadTs === threadTs),
      );
      for (const stream of streaming) stream.open = false;
      const event = { type: "agent_session_stopped", channel: channelId, user, thread_ts: threadTs };
      const stopped = { streaming_message_ts: streaming.map(({ ts }) => ts), event_ts: world.clock.nextTs() };
      return outbox.event(channel, { ...event, ...stopped });
    },
    uninstall(id) {
      const installation = installed(id);
      const gone = outbox.event(null, { type: "app_uninstalled", event_ts: world.clock.nextTs() }, { installation });
      const sent = together([gone, revoke(installation)]);
      installation.removed = true;
      return sent;
    },
    revokeTokens: (id) => revoke(installed(id)),
  };
}
