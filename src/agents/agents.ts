import { invalid, notFound } from "../errors.ts";
import { newId } from "../ids.ts";
import type { Keyset } from "../keyset.ts";
import type { Agent, AgentConfig, AgentCreateParams, ModelParams } from "../schemas/agent.ts";
import type { AgentFilter, AgentStore } from "./agent-store.ts";
import { resolveToolset } from "./toolset.ts";

/** A model that this server can run, as a model provider knows it. */
export interface KnownModel {
  id: string;
  displayName: string;
  /** RFC 3339. */
  createdAt: string;
  contextWindowTokens: number;
  maxOutputTokens: number;
}

export interface Agents {
  /** @throws AppError `invalid_request` for a model this server does not know, naming those it does */
  create(workspaceId: string, params: AgentCreateParams): Promise<Agent>;
  /**
   * The latest version, or the given one.
   * @throws AppError `not_found`, also for another workspace's agent
   */
  get(workspaceId: string, id: string, version?: number | null): Promise<Agent>;
  list(workspaceId: string, filter: AgentFilter, keyset: Keyset): Promise<Agent[]>;
}

interface Dependencies {
  store: AgentStore;
  /** Newest first. */
  models: () => readonly KnownModel[];
}

const DEFAULT_EFFORT = "high";

export function createAgents({ store, models }: Dependencies): Agents {
  return {
    async create(workspaceId, params) {
      const config = resolveConfig(params);
      assertKnown(config.model.id, models());
      return store.insert(workspaceId, newId("agent"), config, params.metadata ?? {});
    },

    async get(workspaceId, id, version = null) {
      const agent = await store.find(workspaceId, id, version);
      if (!agent) throw version === null ? notFound("Agent", id) : notFound(`Version ${version} of agent`, id);
      return agent;
    },

    list: (workspaceId, filter, keyset) => store.list(workspaceId, filter, keyset),
  };
}

function resolveConfig(params: AgentCreateParams): AgentConfig {
  return {
    name: params.name,
    description: params.description || null,
    model: resolveModel(params.model),
    system: params.system || null,
    tools: (params.tools ?? []).map(resolveToolset),
    mcp_servers: [],
    skills: [],
    multiagent: null,
    execution_identity: { type: "service_account" },
  };
}

function resolveModel(model: ModelParams): AgentConfig["model"] {
  const { id, effort } = typeof model === "string" ? { id: model, effort: null } : model;
  const type = typeof effort === "object" && effort !== null ? effort.type : (effort ?? DEFAULT_EFFORT);
  return { id, effort: { type }, speed: "standard" };
}

function assertKnown(id: string, known: readonly KnownModel[]): void {
  if (known.some((model) => model.id === id)) return;
  throw invalid(`model: \`${id}\` is not known here; known models: ${known.map((model) => model.id).join(", ")}`);
}
