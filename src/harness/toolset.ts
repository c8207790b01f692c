import type { ModelTool } from "../models/model-provider.ts";
import type { SandboxOp } from "../sandbox/sandbox.ts";
import type { BuiltInToolName, CustomTool, SessionAgent } from "../schemas/agent.ts";
import type { EventOf } from "../schemas/event.ts";
import { builtInTools, parseToolInput } from "./tools/index.ts";

type CallEvaluation = Pick<EventOf<"agent.tool_use">, "evaluated_permission" | "evaluation">;

/** The tools that the agent's toolset leaves enabled and those that clients run, as a model is told of them. Pure. */
export function modelTools(agent: SessionAgent): ModelTool[] {
  const builtIn = enabledTools(agent).map((name) => {
    const tool = builtInTools[name];
    return { name, description: tool.description, inputSchema: tool.inputSchema() };
  });
  return [...builtIn, ...customTools(agent).map(toModelTool)];
}

/** Whether any of the agent's tools runs in a sandbox. Pure. */
export const usesSandbox = (agent: SessionAgent): boolean => toolsets(agent).length > 0;

/** Whether a client runs the tool of that name. Pure. */
export const isCustom = (agent: SessionAgent, name: string): boolean =>
  customTools(agent).some((tool) => tool.name === name);

/** What the sandbox is to run for a call, or why it is refused: written for the model to read. Pure. */
export function prepareCall(
  agent: SessionAgent,
  name: string,
  input: Record<string, unknown>,
): { op: SandboxOp } | { error: string } {
  const enabled = enabledTools(agent);
  const known = enabled.find((tool) => tool === name);
  if (known) return parseToolInput(known, input);
  // Only a call that no client can be shown comes here.
  if (isCustom(agent, name))
    return { error: `The arguments of \`${name}\` were no complete JSON object; call it again.` };
  const names = [...enabled, ...customTools(agent).map((tool) => tool.name)];
  return { error: `There is no tool \`${name}\`. The tools are: ${names.join(", ") || "none"}.` };
}

/**
 * Whether a call may run, as its `agent.tool_use` says. A call that can't run at all, for its tool or its arguments, is
 * refused before any policy: nobody is asked to decide on it. Pure.
 */
export function evaluateCall(agent: SessionAgent, name: string, input: Record<string, unknown>): CallEvaluation {
  if ("error" in prepareCall(agent, name, input)) return { evaluated_permission: "deny" };
  const configs = toolsets(agent).flatMap((toolset) => toolset.configs);
  const { type } = configs.find((tool) => tool.name === name)?.permission_policy ?? { type: "always_ask" };
  return { evaluated_permission: type === "always_allow" ? "allow" : "ask", evaluation: { type } };
}

/** Fields that say nothing are left out: not every model's API takes a null there. */
function toModelTool({ name, description, input_schema }: CustomTool): ModelTool {
  const inputSchema = Object.fromEntries(Object.entries(input_schema).filter(([, value]) => value !== null));
  return { name, description, inputSchema };
}

function enabledTools(agent: SessionAgent): BuiltInToolName[] {
  return toolsets(agent).flatMap((toolset) => toolset.configs.flatMap((tool) => (tool.enabled ? [tool.name] : [])));
}

const toolsets = ({ tools }: SessionAgent) => tools.filter((tool) => tool.type === "agent_toolset_20260401");
const customTools = ({ tools }: SessionAgent) => tools.filter((tool) => tool.type === "custom");
