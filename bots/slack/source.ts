import { z } from "zod";
import type { ChatSource } from "../shared/chat-source.ts";
import { downloadFile } from "./download.ts";
import { earlierMessages } from "./earlier-messages.ts";
import { refusedWith } from "./errors.ts";
import type { SlackPeople } from "./people.ts";
import { createPermalinks } from "./permalinks.ts";
import { slackThread } from "./slack-thread.ts";
import type { SlackApi } from "./web-api.ts";

export interface SlackSourceOptions {
  api: SlackApi;
  people: SlackPeople;
  /** Larger attachments are not read. */
  fileBytesMax: number;
  now?: () => number;
}

const GROUP_KNOWN_FOR_MS = 60_000;

const GroupAnswer = z.looseObject({ users: z.array(z.string()) });
const NO_GROUP: ReadonlySet<string> = new Set(["no_such_subteam", "subteam_not_found", "no_such_usergroup"]);

/** What Slack tells of its threads and people. An attachment's `ref` is the file's id. */
export function createSlackSource({ api, people, fileBytesMax, now = Date.now }: SlackSourceOptions): ChatSource {
  const permalinks = createPermalinks(api);
  const groups = new Map<string, { members: ReadonlySet<string>; until: number }>();

  const membersOf = async (team: string, group: string, signal: AbortSignal): Promise<ReadonlySet<string>> => {
    const key = `${team}:${group}`;
    const found = groups.get(key);
    if (found && found.until > now()) return found.members;
    const call = { team, method: "usergroups.users.list" };
    const answer = await api.call(
      call,
      (client) => client.usergroups.users.list({ usergroup: group }),
      GroupAnswer,
      signal,
    );
    const members = new Set(answer.users);
    groups.set(key, { members, until: now() + GROUP_KNOWN_FOR_MS });
    return members;
  };

  return {
    earlier: (thread, before, limit, signal) =>
      earlierMessages({ api, people }, slackThread(thread), before, limit, signal),

    open: (thread, { ref }, signal) => downloadFile(api, slackThread(thread).team, ref, fileBytesMax, signal),

    person: (thread, id, signal) => people.person(slackThread(thread).team, id, signal),

    async inGroup(place, group, personId, signal) {
      const team = place.split(":")[1] ?? "";
      try {
        return (await membersOf(team, group, signal)).has(personId);
      } catch (error) {
        if (refusedWith(error, NO_GROUP)) return false;
        throw error;
      }
    },

    linkTo: (thread, signal) => permalinks.linkTo(slackThread(thread), signal),
  };
}
