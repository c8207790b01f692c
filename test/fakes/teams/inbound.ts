import { type Conversation, threadId, type User, type World } from "./world.ts";

/** What every activity from Teams has. */
export interface Envelope {
  conversation: Conversation;
  user: User;
  /** Of a channel's thread. */
  rootId: string | null;
  serviceUrl: string;
  /** With the team's name and its group in Entra, as installations tell them; messages may not. */
  wholeTeam: boolean;
}

const LOCALE = "en-US";
const TIMEZONE = "Europe/Berlin";

export function envelope(
  world: World,
  { conversation, user, rootId, serviceUrl, wholeTeam }: Envelope,
): Record<string, unknown> {
  const { kind, tenantId, id } = conversation;
  const timestamp = new Date(world.clock.now()).toISOString();
  return {
    timestamp,
    localTimestamp: timestamp,
    localTimezone: TIMEZONE,
    locale: LOCALE,
    channelId: "msteams",
    serviceUrl,
    from: { id: user.id, name: user.name, aadObjectId: user.aadObjectId },
    recipient: { ...world.bot },
    conversation: {
      ...(kind !== "personal" && { isGroup: true }),
      conversationType: kind,
      tenantId,
      id: kind === "channel" && rootId !== null ? threadId(conversation, rootId) : id,
    },
    entities: [CLIENT_INFO],
    channelData: channelDataOf(conversation, wholeTeam),
  };
}

function channelDataOf({ tenantId, team, id, kind }: Conversation, wholeTeam: boolean): Record<string, unknown> {
  if (kind !== "channel" || !team) return { tenant: { id: tenantId } };
  return {
    teamsChannelId: id,
    teamsTeamId: team.id,
    channel: { id },
    team: wholeTeam ? { id: team.id, name: team.name, aadGroupId: team.aadGroupId } : { id: team.id },
    tenant: { id: tenantId },
  };
}

/** The bot's mention, as the client writes it. */
export function mentionOf({ bot }: World) {
  return { type: "mention", text: `<at>${bot.name}</at>`, mentioned: { ...bot } };
}

export const CLIENT_INFO = {
  type: "clientInfo",
  locale: LOCALE,
  country: "US",
  platform: "Windows",
  timezone: TIMEZONE,
};

export function htmlStub(html: string): Record<string, unknown> {
  return { contentType: "text/html", content: html };
}
