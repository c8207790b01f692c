import type { Anthropic } from "@anthropic-ai/sdk";
import { nearestFew } from "./nearest.ts";
import { codeSpan, plainWords } from "./plain-words.ts";
import { DEFAULT_AGENT_MARK } from "./default-agent.ts";

/** An agent that a thread may be given. */
export interface ChoosableAgent {
  id: string;
  name: string;
  description: string | null;
}

export type AgentMatch =
  | { type: "one"; agent: ChoosableAgent }
  | { type: "several"; agents: ChoosableAgent[] }
  /** `nearest` are names that may have been meant, closest first. */
  | { type: "none"; nearest: string[] };

const REQUEST_TIMEOUT_MS = 15_000;
const PAGE_SIZE = 100;
const AGENTS_MAX = 500;
const SHOWN_MAX = 30;
const NEAREST_MAX = 3;
const DESCRIPTION_CHARS_MAX = 120;

/**
 * The workspace's agents that are not archived, by name. Of the default agents for chat, which each version and model
 * leaves one of, only the one in use is among them.
 * @throws API errors; the signal's reason
 */
export async function listAgents(
  client: Anthropic,
  defaultAgentId: string | null,
  signal: AbortSignal,
): Promise<ChoosableAgent[]> {
  const agents: ChoosableAgent[] = [];
  const listed = client.beta.agents.list({ limit: PAGE_SIZE }, { signal, timeout: REQUEST_TIMEOUT_MS });
  for await (const { id, name, description, metadata } of listed) {
    if (metadata["deckhand"] === DEFAULT_AGENT_MARK && id !== defaultAgentId) continue;
    agents.push({ id, name, description: description === "" ? null : description });
    if (agents.length === AGENTS_MAX) break;
  }
  return agents.toSorted((a, b) => a.name.localeCompare(b.name, "en"));
}

/** Pure: the agent that is meant by an id, a name in any case, or the beginning of one that no other begins with. */
export function findAgentNamed(agents: readonly ChoosableAgent[], wanted: string): AgentMatch {
  const byId = agents.find(({ id }) => id === wanted);
  if (byId) return { type: "one", agent: byId };
  const name = wanted.toLowerCase();
  const called = agents.filter((agent) => agent.name.toLowerCase() === name);
  const found = called.length > 0 ? called : agents.filter((agent) => agent.name.toLowerCase().startsWith(name));
  const [first, second] = found;
  if (!first) return { type: "none", nearest: nearestNames(agents, name) };
  return second ? { type: "several", agents: found } : { type: "one", agent: first };
}

/** Pure: what to say when it is not clear who is meant. */
export function unclearAgentText(wanted: string, match: Exclude<AgentMatch, { type: "one" }>): string {
  if (match.type === "several") {
    const names = match.agents.slice(0, SHOWN_MAX).map(({ id, name }) => `- ${plainWords(name)}: \`${id}\``);
    return [`Several agents go by ${codeSpan(wanted)}. Name one by its id:`, ...names].join("\n");
  }
  const names = match.nearest.map(codeSpan).join(" or ");
  const hint = names === "" ? "" : ` Did you mean ${names}?`;
  return `There is no agent ${codeSpan(wanted)}.${hint} \`agents\` lists them all.`;
}

/** Pure: the agents as a list, the one in use marked. */
export function agentsText(agents: readonly ChoosableAgent[], inUse: string | null): string {
  if (agents.length === 0) return "There are no agents yet.";
  const lines = agents.slice(0, SHOWN_MAX).map(({ id, name, description }) => {
    const about = description === null ? "" : `: ${shorten(description)}`;
    return `- **${plainWords(name)}**${id === inUse ? " (in use)" : ""}${about}`;
  });
  const more = agents.length - lines.length;
  return [...lines, ...(more > 0 ? [`- and ${more} more`] : [])].join("\n");
}

function nearestNames(agents: readonly ChoosableAgent[], name: string): string[] {
  const known = new Map(agents.map((agent) => [agent.name.toLowerCase(), agent.name]));
  return nearestFew(name, [...known.keys()], NEAREST_MAX).flatMap((lower) => known.get(lower) ?? []);
}

function shorten(text: string): string {
  const line = [...text.replaceAll(/\s+/g, " ").trim()];
  return line.length <= DESCRIPTION_CHARS_MAX ? line.join("") : `${line.slice(0, DESCRIPTION_CHARS_MAX - 1).join("")}…`;
}
