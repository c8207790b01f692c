import { listAgents } from "../../bots/shared/agent-choice.ts";
import { mayUseAgent } from "../../bots/shared/agent-permission.ts";
import { placeOf } from "../../bots/shared/chat-place.ts";
import { homeOf } from "../../bots/shared/home.ts";
import type { ChatCore } from "../../bots/slack/listeners/listener-deps.ts";
import type { Chat } from "../../workers/take-in.ts";
import type { ChatCoreParts } from "./chat-core.ts";
import { listeningCore } from "./listening-core.ts";

const RATE_WITHIN_MS = 20_000;

/** What Slack's listeners ask, answered by the chat core. */
export function slackCore(core: ChatCoreParts, chat: Chat): Omit<ChatCore, "names"> {
  const { client, records } = core;
  const listening = listeningCore(core, chat);
  return {
    ...listening,
    rate: (rating) => listening.rate(rating, AbortSignal.timeout(RATE_WITHIN_MS)),
    async agents(thread, signal) {
      const { defaultAgentId = null } = core.knownDefault();
      const place = placeOf(thread);
      const [all, policy] = await Promise.all([
        listAgents(client, defaultAgentId, signal),
        place && records.policies.of(place),
      ]);
      return policy ? all.filter(({ id }) => mayUseAgent(policy, id, defaultAgentId)) : all;
    },
    home: (team, personId, signal) =>
      homeOf({ ...core, ...chat, ...core.knownDefault() }, { team: `slack:${team}`, person: { id: personId } }, signal),
  };
}
