import type { TeamsCore } from "../../bots/teams/handlers/handler-deps.ts";
import { answerPostedAs } from "../../bots/teams/posted-answer-store.ts";
import { onePress } from "../../bots/teams/press-store.ts";
import { othersWhoDecide } from "../../bots/shared/deciders.ts";
import { runPicked } from "../../bots/shared/picked.ts";
import { rateAnswer } from "../../bots/shared/ratings.ts";
import { runSlash } from "../../bots/shared/slash.ts";
import type { Chat } from "../../workers/take-in.ts";
import type { Database } from "../database.ts";
import type { ChatCoreParts } from "./chat-core.ts";

export interface TeamsCoreOptions {
  database: Database;
  chat: Chat;
  /** What only Teams itself can tell or keep. */
  own: Pick<TeamsCore, "names" | "keepConsent">;
}

/** What Teams' handlers ask, answered by the chat core. */
export function teamsCore(core: ChatCoreParts, { database, chat, own }: TeamsCoreOptions): TeamsCore {
  const { client, records, store, log } = core;
  /** What is begun beside a thread is kept like what is said in one. */
  const beside = () => ({
    ...core,
    ...chat,
    ...core.knownDefault(),
    async accept(...[thread, messageId, item]: Parameters<Parameters<typeof runSlash>[0]["accept"]>) {
      await core.accept({ thread, messageId, item, receiptId: null });
    },
  });
  return {
    accept: (arrival) => core.accept(arrival),
    pressId: (messageId) => onePress(database, messageId),
    knows: (thread) => records.inbox.knows(thread),
    async othersWhoDecide(toolUseId, personId, signal) {
      const asked = await records.approvals.find(toolUseId);
      return asked && othersWhoDecide({ records, source: chat.source }, asked, personId, signal);
    },
    answerPostedAs: (thread, activityId) => answerPostedAs(database, thread, activityId),
    async rate({ thread, answerId, personId, value }, signal) {
      const rating = { thread, eventId: answerId, person: personId, value };
      await rateAnswer({ client, threads: store.threads, ratings: records.ratings, log }, rating, signal);
    },
    ...own,
    runSlash: (call, signal) => runSlash(beside(), call, signal),
    runPicked: (call, signal) => runPicked(beside(), call, signal),
  };
}
