import { type AgentMatch, type ChoosableAgent, findAgentNamed } from "./agent-choice.ts";
import type { ChannelPolicy } from "./channel-policy.ts";
import { notice, type Notice } from "./render.ts";

type AgentPolicy = Pick<ChannelPolicy, "agentId" | "agents">;

/**
 * Pure: whether people may give their work to this agent in a place. The place's own they always may. Others by the list of
 * those that people may switch to; without a list, wherever no operator has set an agent.
 */
export function mayUseAgent({ agentId, agents }: AgentPolicy, wanted: string, defaultAgentId: string | null): boolean {
  if (wanted === (agentId ?? defaultAgentId)) return true;
  return agents === null ? agentId === null : agents.includes(wanted);
}

/** Pure: the first that people may choose of what they chose, else the place's own; null for the default agent. */
export function agentIn(policy: AgentPolicy, ...wanted: readonly (string | null)[]): string | null {
  return wanted.find((id) => id !== null && mayUseAgent(policy, id, null)) ?? policy.agentId;
}

/**
 * Pure: whom somebody means of those that they may choose, so that no other is named to them: one that is meant beyond doubt,
 * but hidden, is refused. Without a policy, all may be chosen.
 */
export function findUsableAgent(
  agents: readonly ChoosableAgent[],
  wanted: string,
  policy: AgentPolicy | null,
  defaultAgentId: string | null,
): AgentMatch | { type: "refused"; refusal: Notice } {
  const usable = policy ? agents.filter(({ id }) => mayUseAgent(policy, id, defaultAgentId)) : agents;
  const match = findAgentNamed(usable, wanted);
  if (!policy || match.type !== "none" || findAgentNamed(agents, wanted).type === "none") return match;
  return { type: "refused", refusal: agentRefusal(policy) };
}

/** Pure: said to whoever chose another one. */
export function agentRefusal({ agents }: AgentPolicy): Notice {
  const others = agents !== null && agents.length > 0 ? " `agents` lists those that you can use here." : "";
  return notice("warning", `The channel's agent is set by an operator.${others}`);
}
