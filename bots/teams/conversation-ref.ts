import type { Activity } from "./activity.ts";
import type { ConversationRef } from "./teams-connector.ts";
import { splitConversation } from "./teams-thread.ts";

/** Pure: in which tenant it happened; null when the activity does not say. */
export function tenantOf({ conversation, channelData }: Activity): string | null {
  return conversation.tenantId || channelData?.tenant?.id || null;
}

/** Pure. A client that names no kind has conversations of two. */
export function kindOf({ conversation }: Activity): ConversationRef["kind"] {
  switch (conversation.conversationType) {
    case "channel":
      return "channel";
    case "groupChat":
      return "groupChat";
    case "personal":
      return "personal";
    default:
      return conversation.isGroup === true ? "groupChat" : "personal";
  }
}

/** Pure: where to answer. The activity must have been verified: our token goes to its `serviceUrl`. */
export function conversationRef(activity: Activity, tenantId: string): ConversationRef {
  const { conversation, recipient, from, channelData, locale } = activity;
  const { conversationId } = splitConversation(conversation.id);
  const kind = kindOf(activity);
  const teamId = channelData?.team?.id ?? channelData?.teamsTeamId ?? null;
  return {
    serviceUrl: activity.serviceUrl,
    tenantId,
    conversationId,
    kind,
    bot: { id: recipient.id, name: recipient.name ?? null },
    user: kind === "personal" ? { id: from.id, aadObjectId: from.aadObjectId ?? null, name: from.name ?? null } : null,
    team:
      kind === "channel" && teamId !== null
        ? {
            id: teamId,
            aadGroupId: channelData?.team?.aadGroupId ?? null,
            channelId: channelData?.channel?.id ?? channelData?.teamsChannelId ?? conversationId,
          }
        : null,
    locale: locale ?? null,
  };
}
