import { isDeepStrictEqual } from "node:util";
import { AppError, invalid, notFound } from "../errors.ts";
import { newId } from "../ids.ts";
import type { Keyset } from "../keyset.ts";
import { patchMetadata } from "../metadata-patch.ts";
import {
  type Agent,
  AgentConfig,
  type AgentCreateParams,
  type AgentUpdateParams,
  SessionAgent,
  type SessionAgentParams,
} from "../schemas/agent.ts";
import { changedConfig, newConfig, overriddenConfig } from "./agent-config.ts";
import type { AgentFilter, AgentStore, AgentVersionContent, VersionStretch } from "./agent-store.ts";

/** A model that this server can run, as a model provider knows it. */
export interface KnownModel {
  id: string;
  displayName: string;
  /** RFC 3339. */
  createdAt: string;
  contextWindowTokens: number;
  maxOutputTokens: number;
}

/** Every method that takes an id throws AppError `not_found`, also for another workspace's agent. */
export interface Agents {
  /** @throws AppError `invalid_request` for a model this server does not know, naming those it does */
  create(workspaceId: string, params: AgentCreateParams): Promise<Agent>;
  /** The latest version, or the given one. */
  get(workspaceId: string, id: string, version?: number | null): Promise<Agent>;
  list(workspaceId: string, filter: AgentFilter, keyset: Keyset): Promise<Agent[]>;
  /** Newest first. */
  listVersions(workspaceId: string, id: string, stretch: VersionStretch): Promise<Agent[]>;
  /**
   * Makes a new version of what differs, for sessions that are created from now on; none when nothing does.
   * @throws AppError `conflict` when `params.version` is not the latest, even where nothing would change;
   *   `invalid_request` for an archived agent, an unknown model, and metadata beyond its limits
   */
  update(workspaceId: string, id: string, params: AgentUpdateParams): Promise<Agent>;
  /** For good: no changes and no new sessions; those there are go on. Idempotent. */
  archive(workspaceId: string, id: string): Promise<Agent>;
  /**
   * The agent as a new session is to run it.
   * @throws AppError `invalid_request` for an archived agent, and for an unknown model
   */
  forSession(workspaceId: string, params: SessionAgentParams): Promise<SessionAgent>;
}

interface Dependencies {
  store: AgentStore;
  /** Newest first. */
  models: () => readonly KnownModel[];
}

export function createAgents({ store, models }: Dependencies): Agents {
  const there = (agent: Agent | null, id: string): Agent => {
    if (!agent) throw notFound("Agent", id);
    return agent;
  };
  const get = async (workspaceId: string, id: string, version: number | null = null): Promise<Agent> => {
    const agent = await store.find(workspaceId, id, version);
    if (!agent && version !== null) throw notFound(`Version ${version} of agent`, id);
    return there(agent, id);
  };

  return {
    async create(workspaceId, params) {
      const config = newConfig(params);
      assertKnown(config.model.id, models(), "model");
      return store.insert(workspaceId, newId("agent"), { config, metadata: params.metadata ?? {} });
    },

    get,

    list: (workspaceId, filter, keyset) => store.list(workspaceId, filter, keyset),

    async listVersions(workspaceId, id, stretch) {
      const versions = await store.listVersions(workspaceId, id, stretch);
      if (!versions) throw notFound("Agent", id);
      return versions;
    },

    async update(workspaceId, id, params) {
      const updated = await store.update(workspaceId, id, (current) => {
        const next = nextVersion(current, params);
        if (next && params.model !== undefined) assertKnown(next.config.model.id, models(), "model");
        return next;
      });
      return there(updated, id);
    },

    archive: async (workspaceId, id) => there(await store.archive(workspaceId, id), id),

    async forSession(workspaceId, params) {
      const { id, version } = typeof params === "string" ? { id: params, version: null } : params;
      const agent = await get(workspaceId, id, version);
      if (agent.archived_at) throw invalid(`agent: \`${id}\` is archived and takes no new sessions`);
      if (typeof params === "string" || params.type === "agent") return SessionAgent.parse(agent);
      const config = overriddenConfig(AgentConfig.parse(agent), params);
      if (params.model !== undefined) assertKnown(config.model.id, models(), "agent.model");
      return SessionAgent.parse({ ...agent, ...config });
    },
  };
}

/**
 * What an update makes of an agent's latest version; null when it is the same. Pure.
 * @throws AppError as `Agents.update` says
 */
function nextVersion(current: Agent, params: AgentUpdateParams): AgentVersionContent | null {
  const { metadata: patch, version, ...changes } = params;
  if (current.archived_at) throw invalid(`Agent \`${current.id}\` is archived and can't be changed any more.`);
  if (version !== undefined && version !== current.version) {
    throw new AppError(
      "conflict",
      `version: Agent \`${current.id}\` is at version ${current.version}, not ${version}; read it again before changing it`,
    );
  }
  const before = { config: AgentConfig.parse(current), metadata: current.metadata };
  const after = {
    config: changedConfig(before.config, changes),
    metadata: patchMetadata(before.metadata, patch),
  };
  return isDeepStrictEqual(before, after) ? null : after;
}

/** @param field where the model was named */
function assertKnown(id: string, known: readonly KnownModel[], field: string): void {
  if (known.some((model) => model.id === id)) return;
  throw invalid(`${field}: \`${id}\` is not known here; known models: ${known.map((model) => model.id).join(", ")}`);
}
