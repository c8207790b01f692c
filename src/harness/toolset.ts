import type { ModelTool } from "../models/model-provider.ts";
import type { SandboxOp } from "../sandbox/sandbox.ts";
import type { BuiltInToolName, SessionAgent } from "../schemas/agent.ts";
import { builtInTools, parseToolInput } from "./tools/index.ts";

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

function enabledTools(agent: SessionAgent): BuiltInToolName[] {
  return agent.tools.flatMap((toolset) => toolset.configs.flatMap((tool) => (tool.enabled ? [tool.name] : [])));
}
