import type { ModelTool } from "../models/model-provider.ts";
import type { SandboxOp } from "../sandbox/sandbox.ts";
import type { BuiltInToolName, SessionAgent } from "../schemas/agent.ts";
import type { EventOf } from "../schemas/event.ts";
import { builtInTools, parseToolInput } from "./tools/index.ts";

type CallEvaluation = Pick<EventOf<"agent.tool_use">, "evaluated_permission" | "evaluation">;

/** The tools that the agent's toolset leaves enabled, as a model is told of them. Pure. */
export function modelTools(agent: SessionAgent): ModelTool[] {
  return enabledTools(agent).map((name) => {
    const tool = builtInTools[name];
    return { name, description: tool.description, inputSchema: tool.inputSchema() };
  });
}

/** What the sandbox is to run for a call, or why it is refused: written for the model to read. Pure. */
export function prepareCall(
  agent: SessionAgent,
  name: string,
  input: Record<string, unknown>,
): { op: SandboxOp } | { error: string } {
  const enabled = enabledTools(agent);
  const known = enabled.find((tool) => tool === name);
  if (!known) return { error: `There is no tool \`${name}\`. The tools are: ${enabled.join(", ") || "none"}.` };
  return parseToolInput(known, input);
}

/**
 * Whether a call may run, as its `agent.tool_use` says. A call that can't run at all, for its tool or its arguments, is
 * refused before any policy: nobody is asked to decide on it. Pure.
 */
export function evaluateCall(agent: SessionAgent, name: string, input: Record<string, unknown>): CallEvaluation {
  if ("error" in prepareCall(agent, name, input)) return { evaluated_permission: "deny" };
  const configs = agent.tools.flatMap((toolset) => toolset.configs);
  const { type } = configs.find((tool) => tool.name === name)?.permission_policy ?? { type: "always_ask" };
  return { evaluated_permission: type === "always_allow" ? "allow" : "ask", evaluation: { type } };
}

function enabledTools(agent: SessionAgent): BuiltInToolName[] {
  return agent.tools.flatMap((toolset) => toolset.configs.flatMap((tool) => (tool.enabled ? [tool.name] : [])));
}
