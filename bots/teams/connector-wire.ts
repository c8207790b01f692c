import { z } from "zod";
import type { ConversationRef, OutboundActivity, TeamsMember } from "./teams-connector.ts";
import { withRoot } from "./teams-thread.ts";

const TEAMS = "msteams";
const Member = z.looseObject({
  id: z.string(),
  name: z.string().nullish(),
  aadObjectId: z.string().nullish(),
  objectId: z.string().nullish(),
  email: z.string().nullish(),
  userPrincipalName: z.string().nullish(),
  userRole: z.string().nullish(),
  tenantId: z.string().nullish(),
});

const MembersPage = z.looseObject({ members: z.array(Member), continuationToken: z.string().nullish() });
const Team = z.looseObject({ aadGroupId: z.string().nullish() });
const ActivityId = z.looseObject({ id: z.string().nullish() });

/** Pure: an activity with all that the Bot Connector wants to be told again of whom it is from and where it goes. */
export function addressed(ref: ConversationRef, rootId: string | null, activity: OutboundActivity) {
  const { kind, tenantId, bot, user } = ref;
  return {
    ...activity,
    channelId: TEAMS,
    serviceUrl: ref.serviceUrl,
    from: { id: bot.id, ...(bot.name !== null && { name: bot.name }) },
    conversation: {
      id: withRoot(ref.conversationId, rootId),
      conversationType: kind,
      tenantId,
      isGroup: kind !== "personal",
    },
    ...(kind === "personal" && user && { recipient: { id: user.id, ...(user.name !== null && { name: user.name }) } }),
    ...(ref.locale !== null && { locale: ref.locale }),
  };
}

export function activitiesUrl({ serviceUrl, conversationId }: ConversationRef, rootId: string | null): URL {
  return atService(serviceUrl, `v3/conversations/${encodeURIComponent(withRoot(conversationId, rootId))}/activities`);
}

export function teamUrl({ serviceUrl }: ConversationRef, teamId: string): URL {
  return atService(serviceUrl, `v3/teams/${encodeURIComponent(teamId)}`);
}

/** Streaming answers with an id at first and with nothing after that. */
export function activityIdIn(text: string): string {
  return ActivityId.safeParse(parsed(text)).data?.id ?? "";
}

/** @throws ZodError when it is none */
export function memberIn(text: string): TeamsMember {
  return memberOf(Member.parse(parsed(text)));
}

/** Null when the answer names no group. */
export function teamGroupIn(text: string): string | null {
  return Team.safeParse(parsed(text)).data?.aadGroupId || null;
}

/** A page of a conversation's members; `next` asks for the one after it. @throws ZodError when it is none */
export function membersIn(text: string): { members: TeamsMember[]; next: string | null } {
  const { members, continuationToken } = MembersPage.parse(parsed(text));
  return { members: members.map(memberOf), next: continuationToken || null };
}

function atService(serviceUrl: string, path: string): URL {
  return new URL(path, serviceUrl.endsWith("/") ? serviceUrl : `${serviceUrl}/`);
}

function memberOf(member: z.infer<typeof Member>): TeamsMember {
  return {
    id: member.id,
    aadObjectId: member.aadObjectId ?? member.objectId ?? null,
    name: member.name ?? "",
    email: member.email ?? member.userPrincipalName ?? null,
    userRole: member.userRole ?? null,
    tenantId: member.tenantId ?? null,
  };
}

function parsed(text: string): unknown {
  return text.trim() === "" ? {} : JSON.parse(text);
}
