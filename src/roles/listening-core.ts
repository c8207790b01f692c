import type { Arrival } from "../../bots/shared/accept.ts";
import type { ChatThreadKey } from "../../bots/shared/chat-thread.ts";
import { othersWhoDecide } from "../../bots/shared/deciders.ts";
import { type PickedCall, runPicked } from "../../bots/shared/picked.ts";
import { rateAnswer } from "../../bots/shared/ratings.ts";
import { runSlash, type SlashCall } from "../../bots/shared/slash.ts";
import type { Chat } from "../../workers/take-in.ts";
import type { ChatCoreParts } from "./chat-core.ts";

interface Rating {
  thread: ChatThreadKey;
  answerId: string;
  personId: string;
  value: "up" | "down";
}

/** What the listeners of any chat ask, answered by the chat core. */
export function listeningCore(core: ChatCoreParts, chat: Chat) {
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
    accept: (arrival: Arrival) => core.accept(arrival),
    knows: (thread: ChatThreadKey) => records.inbox.knows(thread),
    async othersWhoDecide(toolUseId: string, personId: string, signal: AbortSignal) {
      const asked = await records.approvals.find(toolUseId);
      return asked && othersWhoDecide({ records, source: chat.source }, asked, personId, signal);
    },
    async rate({ thread, answerId, personId, value }: Rating, signal: AbortSignal) {
      const rating = { thread, eventId: answerId, person: personId, value };
      await rateAnswer({ client, threads: store.threads, ratings: records.ratings, log }, rating, signal);
    },
    runSlash: (call: SlashCall, signal: AbortSignal) => runSlash(beside(), call, signal),
    runPicked: (call: PickedCall, signal: AbortSignal) => runPicked(beside(), call, signal),
  };
}
