import type { Channel, Installation, World } from "./world.ts";

const MESSAGES_OF = { public: "channels", private: "groups", im: "im", mpim: "mpim" };

/** The name under which an event is subscribed to. */
export function subscriptionOf(event: Record<string, unknown>, channel: Channel | null): string {
  return event["type"] === "message" && channel ? `message.${MESSAGES_OF[channel.kind]}` : String(event["type"]);
}

export interface EventOptions {
  world: World;
  appId: string;
  installation: Installation;
  channel: Channel | null;
  event: Record<string, unknown>;
  /** Of the person or thing that it is about. */
  teamId: string | null;
}

/** The callback around an event, for one installation. */
export function eventCallback({ world, appId, installation, channel, event, teamId }: EventOptions) {
  const home = channel?.teamIds.find((team) => installation.teamIds.includes(team)) ?? installation.teamIds[0];
  const enterpriseId = installation.enterpriseId;
  const kind = { public: "channel", private: "group", im: "im", mpim: "mpim" }[channel?.kind ?? "public"];
  const typed = channel && event["type"] === "message" ? { ...event, channel_type: kind } : event;
  return {
    token: "verification-token-unused",
    team_id: home,
    ...(enterpriseId !== null && { enterprise_id: enterpriseId }),
    context_team_id: home,
    context_enterprise_id: enterpriseId,
    api_app_id: appId,
    event: typed,
    type: "event_callback",
    event_id: world.nextId("Ev"),
    event_time: Math.floor(world.clock.now() / 1000),
    authorizations: [
      {
        enterprise_id: enterpriseId,
        team_id: installation.isEnterprise ? null : home,
        user_id: installation.botUserId,
        is_bot: true,
        is_enterprise_install: installation.isEnterprise,
      },
    ],
    is_ext_shared_channel: channel?.extShared ?? false,
    event_context: `ctx-${teamId ?? home}`,
  };
}
