import { createHash } from "node:crypto";
import type { Anthropic } from "@anthropic-ai/sdk";
import { TerminalError } from "../../src/errors.ts";
import { CHAT_SYSTEM_PROMPT } from "./system-prompt.ts";

/** What a thread's sessions run on. */
export interface ChatAgent {
  agentId: string;
  environmentId: string;
  model: string;
}

export interface ChatAgentOptions {
  client: Anthropic;
  /** The model of the default agent; null for the one the server lists first. */
  model: string | null;
  /** An agent to use instead of the default one. */
  agentId: string | null;
}

/** In the metadata of what is made here, under `deckhand`. */
export const DEFAULT_AGENT_MARK = "chat-default";
const REQUEST_TIMEOUT_MS = 30_000;
const PAGE_SIZE = 100;

/**
 * The agent and the environment for chat, found by their metadata or made. Two processes that do this at the same
 * moment in a new workspace may make two; from then on everyone takes the older one.
 * @throws TerminalError when the server has no model; API errors as they are
 */
export async function findChatAgent(options: ChatAgentOptions, signal: AbortSignal): Promise<ChatAgent> {
  const { client, agentId } = options;
  const request = { signal, timeout: REQUEST_TIMEOUT_MS };
  const environmentId = await findEnvironment(client, request);
  if (agentId !== null) {
    const agent = await client.beta.agents.retrieve(agentId, {}, request);
    return { agentId: agent.id, environmentId, model: agent.model.id };
  }
  const model = options.model ?? (await firstModel(client, request));
  return { agentId: await findAgent(client, model, request), environmentId, model };
}

export interface DefaultAgent {
  /** Looks it up, or makes it, when it is first asked for. Ends within the limits of its requests. */
  get(): Promise<ChatAgent>;
  /** It can't be used any more, so the next `get` looks anew. */
  forget(): void;
}

/** The same for however many threads ask at once. A lookup that failed is made again the next time. */
export function createDefaultAgent(options: ChatAgentOptions): DefaultAgent {
  let found: Promise<ChatAgent> | null = null;
  return {
    async get() {
      const asked = (found ??= findChatAgent(options, AbortSignal.any([])));
      try {
        return await asked;
      } catch (error) {
        if (found === asked) found = null;
        throw error;
      }
    },
    forget() {
      found = null;
    },
  };
}

interface RequestOptions {
  signal: AbortSignal;
  timeout: number;
}

async function findEnvironment(client: Anthropic, request: RequestOptions): Promise<string> {
  const found = await oldest(client.beta.environments.list({ limit: PAGE_SIZE }, request), isOurs);
  if (found) return found.id;
  const made = await client.beta.environments.create(
    { name: "Deckhand chat", description: "For chat threads.", metadata: { deckhand: DEFAULT_AGENT_MARK } },
    request,
  );
  return made.id;
}

/** An agent is taken only if it was made with the same instructions and model, so that a new version gets a new agent. */
async function findAgent(client: Anthropic, model: string, request: RequestOptions): Promise<string> {
  const version = createHash("sha256").update(`${model}\n${CHAT_SYSTEM_PROMPT}`).digest("hex").slice(0, 16);
  const found = await oldest(
    client.beta.agents.list({ limit: PAGE_SIZE }, request),
    (agent) => isOurs(agent) && agent.metadata["deckhand_version"] === version,
  );
  if (found) return found.id;
  const made = await client.beta.agents.create(
    {
      name: "Deckhand",
      description: "Office work in chat threads: spreadsheets, decks, documents.",
      model,
      system: CHAT_SYSTEM_PROMPT,
      tools: [{ type: "agent_toolset_20260401" }],
      metadata: { deckhand: DEFAULT_AGENT_MARK, deckhand_version: version },
    },
    request,
  );
  return made.id;
}

async function firstModel(client: Anthropic, request: RequestOptions): Promise<string> {
  const page = await client.models.list({ limit: 1 }, request);
  const model = page.data[0];
  if (!model)
    throw new TerminalError("The server offers no model. Set DECKHAND_MODEL, or give the server a model API key.");
  return model.id;
}

interface Marked {
  metadata: Record<string, string>;
  created_at: string;
}

function isOurs({ metadata }: Marked): boolean {
  return metadata["deckhand"] === DEFAULT_AGENT_MARK;
}

async function oldest<Item extends Marked>(
  items: AsyncIterable<Item>,
  wanted: (item: Item) => boolean,
): Promise<Item | null> {
  let best: Item | null = null;
  for await (const item of items) {
    if (wanted(item) && (!best || item.created_at < best.created_at)) best = item;
  }
  return best;
}
