import type { Logger } from "../../src/log.ts";
import type { ConversationStore } from "./conversation-store.ts";
import { graphThread, type GraphThread } from "./graph-messages.ts";
import { type ConversationRef, type TeamsConnector, TeamsRefusedError } from "./teams-connector.ts";
import type { TeamsThread } from "./teams-thread.ts";

/** How Graph names threads. */
export interface GraphThreads {
  /**
   * Null in a channel of whose team Teams tells no group.
   * @throws RetryableError when that can't be told now; the signal's reason
   */
  of(thread: TeamsThread, ref: ConversationRef, signal: AbortSignal): Promise<GraphThread | null>;
}

export interface GraphThreadsDeps {
  connector: Pick<TeamsConnector, "team">;
  conversations: Pick<ConversationStore, "keepTeamGroup">;
  log: Logger;
}

/** Messages in channels seldom say which group their team is, so Teams is asked, and the answer is kept for good. */
export function createGraphThreads({ connector, conversations, log }: GraphThreadsDeps): GraphThreads {
  const askedGroup = async (ref: ConversationRef, signal: AbortSignal): Promise<string | null> => {
    try {
      return (await connector.team(ref, signal)).aadGroupId;
    } catch (error) {
      if (!(error instanceof TeamsRefusedError)) throw error;
      log.info({ team: ref.team?.id, teams_error: error.refusal }, "teams did not tell the group of a team");
      return null;
    }
  };

  return {
    async of({ place, rootId }, ref, signal) {
      const { team } = ref;
      if (!team || team.aadGroupId !== null) return graphThread(ref, rootId);
      const aadGroupId = await askedGroup(ref, signal);
      if (aadGroupId === null) return null;
      await conversations.keepTeamGroup(place, team.id, aadGroupId);
      return graphThread({ ...ref, team: { ...team, aadGroupId } }, rootId);
    },
  };
}
