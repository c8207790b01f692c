import type { ChatSource } from "../shared/chat-source.ts";
import { downloadFile } from "./download.ts";
import { earlierMessages } from "./earlier-messages.ts";
import { createSlackGroups } from "./groups.ts";
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

/** Ids of people begin with U or W. */
const GROUP = /^S/;

/** What Slack tells of its threads and people. An attachment's `ref` is the file's id. */
export function createSlackSource({ api, people, fileBytesMax, now = Date.now }: SlackSourceOptions): ChatSource {
  const permalinks = createPermalinks(api);
  const groups = createSlackGroups(api, now);

  return {
    earlier: (thread, before, limit, signal) =>
      earlierMessages({ api, people }, slackThread(thread), before, limit, signal),

    open: (thread, { ref }, signal) => downloadFile(api, slackThread(thread).team, ref, fileBytesMax, signal),

    person: (where, id, signal) => people.person(teamIn(where), id, signal),

    async inGroup(place, group, personId, signal) {
      // Policies name people beside groups, and for each question Slack would have us wait.
      if (!GROUP.test(group)) return false;
      return (await groups.members(teamIn(place), group, signal)).has(personId);
    },

    linkTo: (thread, signal) => permalinks.linkTo(slackThread(thread), signal),
  };
}

/** Pure: the second part of the key of a place as of a thread. */
function teamIn(key: string): string {
  return key.split(":")[1] ?? "";
}
