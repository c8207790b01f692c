import { listAgents } from "../../bots/shared/agent-choice.ts";
import { mayUseAgent } from "../../bots/shared/agent-permission.ts";
import { placeOf } from "../../bots/shared/chat-place.ts";
import { othersWhoDecide } from "../../bots/shared/deciders.ts";
import { homeOf } from "../../bots/shared/home.ts";
import { runPicked } from "../../bots/shared/picked.ts";
import { rateAnswer } from "../../bots/shared/ratings.ts";
import { runSlash } from "../../bots/shared/slash.ts";
import type { ChatCore } from "../../bots/slack/listeners/listener-deps.ts";
import type { Chat } from "../../workers/take-in.ts";
import type { ChatCoreParts } from "./chat-core.ts";

const RATE_WITHIN_MS = 20_000;

/** What Slack's listeners ask, answered by the chat core. */
export function slackCore(core: ChatCoreParts, chat: Chat): Omit<ChatCore, "names"> {
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
    knows: (thread) => records.inbox.knows(thread),
    async othersWhoDecide(toolUseId, personId, signal) {
      const asked = await records.approvals.find(toolUseId);
      return asked && othersWhoDecide({ records, source: chat.source }, asked, personId, signal);
    },
    async rate({ thread, answerId, personId, value }) {
      const rating = { thread, eventId: answerId, person: personId, value };
      const deps = { client, threads: store.threads, ratings: records.ratings, log };
      await rateAnswer(deps, rating, AbortSignal.timeout(RATE_WITHIN_MS));
    },
    async agents(thread, signal) {
      const { defaultAgentId = null } = core.knownDefault();
      const place = placeOf(thread);
      const [all, policy] = await Promise.all([
        listAgents(client, defaultAgentId, signal),
        place && records.policies.of(place),
      ]);
      return policy ? all.filter(({ id }) => mayUseAgent(policy, id, defaultAgentId)) : all;
    },
    runSlash: (call, signal) => runSlash(beside(), call, signal),
    runPicked: (call, signal) => runPicked(beside(), call, signal),
    home: (team, personId, signal) =>
      homeOf({ ...core, ...chat, ...core.knownDefault() }, { team: `slack:${team}`, person: { id: personId } }, signal),
  };
}
