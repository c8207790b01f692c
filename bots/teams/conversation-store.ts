import { isDeepStrictEqual } from "node:util";
import type { Database } from "../../src/database.ts";
import type { ChatPlaceKey } from "../shared/chat-place.ts";
import { ConversationRef } from "./teams-connector.ts";

export interface KeptConversation {
  ref: ConversationRef;
  /** Why nothing can be posted any more; null while it can. */
  disabled: string | null;
}

/** Where to post, by place: what the latest verified activity of each conversation said. */
export interface ConversationStore {
  find(place: ChatPlaceKey): Promise<KeptConversation | null>;
  /** The latest counts, and posting is possible again. What an activity leaves out stays as it was. */
  keep(place: ChatPlaceKey, ref: ConversationRef): Promise<void>;
  /** Only which group the team is; the rest stays as the latest activity said. No effect where the place is in another team. */
  keepTeamGroup(place: ChatPlaceKey, teamId: string, aadGroupId: string): Promise<void>;
  /** Nothing can be posted there until somebody writes again. No effect on an unknown place. */
  disable(place: ChatPlaceKey, why: string): Promise<void>;
}

export function createConversationStore({ prisma }: Pick<Database, "prisma">): ConversationStore {
  const find = async (place: ChatPlaceKey): Promise<KeptConversation | null> => {
    const row = await prisma.teamsConversation.findUnique({ where: { place } });
    return row && { ref: ConversationRef.parse(row.reference), disabled: row.disabled };
  };
  return {
    find,

    async keep(place, given) {
      const known = await find(place);
      const ref = merged(given, known?.ref ?? null);
      // Most messages say what the one before them said.
      if (known && known.disabled === null && isDeepStrictEqual(known.ref, ref)) return;
      await prisma.teamsConversation.upsert({
        where: { place },
        create: { place, reference: ref },
        update: { reference: ref, disabled: null, updatedAt: new Date() },
      });
    },

    async keepTeamGroup(place, teamId, aadGroupId) {
      await prisma.$executeRaw`
        UPDATE teams_conversations
        SET reference = jsonb_set(reference, '{team,aadGroupId}', to_jsonb(${aadGroupId}::text)), updated_at = now()
        WHERE place = ${place} AND reference #>> '{team,id}' = ${teamId}`;
    },

    async disable(place, why) {
      await prisma.teamsConversation.updateMany({ where: { place }, data: { disabled: why, updatedAt: new Date() } });
    },
  };
}

/** Pure. Teams names the team's group in some activities and not in others. */
function merged(given: ConversationRef, known: ConversationRef | null): ConversationRef {
  const team = given.team ?? known?.team ?? null;
  const sameTeam = team !== null && team.id === known?.team?.id;
  return {
    ...given,
    team: team && { ...team, aadGroupId: team.aadGroupId ?? (sameTeam ? (known?.team?.aadGroupId ?? null) : null) },
    user: given.user ?? known?.user ?? null,
    locale: given.locale ?? known?.locale ?? null,
  };
}
