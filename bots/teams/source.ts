import { z } from "zod";
import { TerminalError } from "../../src/errors.ts";
import type { ChatSource, EarlierMessage } from "../shared/chat-source.ts";
import type { ChatThreadKey } from "../shared/chat-thread.ts";
import { type AttachmentCipher, sealFile, unsealFile } from "./attachment-ref.ts";
import type { ConversationStore } from "./conversation-store.ts";
import type { FileHosts } from "./file-hosts.ts";
import { CHECK_MEMBER_GROUPS, GraphRefusedError, type TeamsGraph } from "./graph.ts";
import { earlierMessage, FILE_REFERENCE, type GraphMessage, messagesBefore } from "./graph-messages.ts";
import type { GraphThreads } from "./graph-threads.ts";
import { openFile } from "./open-file.ts";
import type { TeamsPeople } from "./people.ts";
import { createRecent } from "./recent.ts";
import type { ConversationRef, TeamsConnector } from "./teams-connector.ts";
import { teamsThread } from "./teams-thread.ts";

export interface TeamsSourceOptions {
  connector: Pick<TeamsConnector, "token">;
  conversations: Pick<ConversationStore, "find">;
  people: TeamsPeople;
  /** Null where the app may not ask Graph. */
  graph: TeamsGraph | null;
  graphThreads: GraphThreads;
  cipher: AttachmentCipher;
  /** Where files may be fetched from. */
  hosts: FileHosts;
  /** Larger attachments are not read. */
  fileBytesMax: number;
  /** Of the cloud: `https://teams.microsoft.com`. */
  teamsUrl: string;
}

const THREADS_TOLD_MAX = 10_000;
const CHECKED_AT_ONCE = z.looseObject({ value: z.array(z.string()) });
const UNKNOWN = new Set([400, 404]);

/** What Teams, and Graph where the app may ask it, tell of threads and people. */
export function createTeamsSource(options: TeamsSourceOptions): ChatSource {
  const { conversations, people, graph, graphThreads, cipher, teamsUrl } = options;
  const told = createRecent<true>(THREADS_TOLD_MAX);

  const reference = async (thread: ChatThreadKey): Promise<ConversationRef> => {
    const known = await conversations.find(teamsThread(thread).place);
    if (!known) throw new TerminalError("Nobody has written to Deckhand in this conversation.");
    return known.ref;
  };

  /** Said once in a thread: whoever asks there reads it every time otherwise. */
  const unreadable = (thread: ChatThreadKey, why: string): EarlierMessage[] => {
    if (told.get(thread)) return [];
    told.set(thread, true);
    throw new TerminalError(why);
  };

  const attachmentsOf = async (thread: ChatThreadKey, { id, attachments }: GraphMessage) => {
    const files = (attachments ?? []).filter(({ contentType }) => contentType === FILE_REFERENCE);
    return await Promise.all(
      files.flatMap(({ id: attachmentId, name }) =>
        attachmentId
          ? [
              sealFile(cipher, thread, { type: "graph", messageId: id, attachmentId }).then((ref) => ({
                filename: name || attachmentId,
                ref,
                sizeBytes: null,
              })),
            ]
          : [],
      ),
    );
  };

  return {
    async earlier(thread, before, limit, signal) {
      signal.throwIfAborted();
      const parts = teamsThread(thread);
      const { rootId } = parts;
      if (rootId !== null && before === rootId) return [];
      const ref = await reference(thread);
      // Every message of a personal chat was for the agent.
      if (ref.kind === "personal") return [];
      if (!graph) return unreadable(thread, NOT_ENABLED);
      const at = await graphThreads.of(parts, ref, signal);
      if (!at) return unreadable(thread, TEAM_UNKNOWN);
      try {
        const messages = await messagesBefore(graph, at, before, limit, signal);
        const appId = ref.bot.id.replace(/^28:/, "");
        return await Promise.all(
          messages.map(async (message) => ({
            ...earlierMessage(message, appId),
            attachments: await attachmentsOf(thread, message),
          })),
        );
      } catch (error) {
        if (error instanceof GraphRefusedError) return unreadable(thread, error.message);
        throw error;
      }
    },

    async open(thread, { ref }, signal) {
      const file = await unsealFile(cipher, thread, ref);
      return await openFile(options, teamsThread(thread), await reference(thread), file, signal);
    },

    person: (thread, id, signal) => people.person(thread, id, signal),

    async inGroup(place, group, personId, signal) {
      if (!graph) return false;
      const tenant = place.split(":")[1] ?? "";
      const path = `/users/${encodeURIComponent(personId)}/${CHECK_MEMBER_GROUPS}`;
      try {
        const answer = await graph.post(tenant, path, { groupIds: [group] }, CHECKED_AT_ONCE, signal);
        return answer.value.includes(group);
      } catch (error) {
        if (error instanceof GraphRefusedError && UNKNOWN.has(error.status)) return false;
        throw error;
      }
    },

    async linkTo(thread, signal) {
      signal.throwIfAborted();
      const { place, rootId, tenant } = teamsThread(thread);
      const team = (await conversations.find(place))?.ref.team;
      if (!team || rootId === null) return null;
      const link = new URL(`/l/message/${encodeURIComponent(team.channelId)}/${encodeURIComponent(rootId)}`, teamsUrl);
      link.searchParams.set("tenantId", tenant);
      if (team.aadGroupId !== null) link.searchParams.set("groupId", team.aadGroupId);
      link.searchParams.set("parentMessageId", rootId);
      return link.href;
    },
  };
}

const NOT_ENABLED =
  "Deckhand sees only messages that mention it here. Whoever runs it can let it read threads: see TEAMS_GRAPH in docs/teams.md.";
const TEAM_UNKNOWN = "Teams did not say which team this channel belongs to, so its messages can't be read.";
