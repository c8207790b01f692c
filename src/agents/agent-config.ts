import type { AgentConfig, AgentCreateParams, AgentUpdateParams, ModelParams } from "../schemas/agent.ts";
import { resolveTools } from "./tools.ts";

type Changes = Omit<AgentUpdateParams, "metadata" | "version">;
type Overrides = Pick<Changes, "model" | "system" | "tools">;

const DEFAULT_EFFORT = "high";

/**
 * What a new agent is, with everything that was left out written out. Pure.
 * @throws AppError `invalid_request` for tools that can't be together
 */
export function newConfig({ name, model, ...given }: AgentCreateParams): AgentConfig {
  const blank: AgentConfig = {
    name,
    description: null,
    model: resolveModel(model),
    system: null,
    tools: [],
    mcp_servers: [],
    skills: [],
    multiagent: null,
    execution_identity: { type: "service_account" },
  };
  return changedConfig(blank, given);
}

/**
 * What an update makes of an agent: a field that is given takes the place of the one before, and null clears it. Pure.
 * @throws AppError `invalid_request` for tools that can't be together
 */
export function changedConfig(before: AgentConfig, { name, model, description, system, tools }: Changes): AgentConfig {
  return {
    ...before,
    ...(name !== undefined && { name }),
    ...(model !== undefined && { model: changedModel(before.model, model) }),
    ...(description !== undefined && { description: description || null }),
    ...(system !== undefined && { system: system || null }),
    ...(tools !== undefined && { tools: resolveTools(tools ?? []) }),
  };
}

/**
 * What a session makes of its agent. A model that is given runs at its default effort, as the API has it. Pure.
 * @throws AppError `invalid_request` for tools that can't be together
 */
export function overriddenConfig(before: AgentConfig, { model, system, tools }: Overrides): AgentConfig {
  return {
    ...before,
    ...(model !== undefined && { model: resolveModel(typeof model === "string" ? model : model.id) }),
    ...(system !== undefined && { system: system || null }),
    ...(tools !== undefined && { tools: resolveTools(tools ?? [], "agent.tools") }),
  };
}

/** Effort that is not spoken of stays with the model it was chosen for. */
function changedModel(before: AgentConfig["model"], given: ModelParams): AgentConfig["model"] {
  const after = resolveModel(given);
  const keepsEffort = after.id === before.id && (typeof given === "string" || given.effort === undefined);
  return keepsEffort ? { ...after, effort: before.effort } : after;
}

function resolveModel(model: ModelParams): AgentConfig["model"] {
  const { id, effort } = typeof model === "string" ? { id: model, effort: null } : model;
  const type = typeof effort === "object" && effort !== null ? effort.type : (effort ?? DEFAULT_EFFORT);
  return { id, effort: { type }, speed: "standard" };
}
