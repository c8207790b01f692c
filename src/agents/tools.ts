import { type AppError, invalid } from "../errors.ts";
import type { AgentTool, AgentToolParams } from "../schemas/agent.ts";
import { resolveToolset } from "./toolset.ts";

/** Built-in and custom ones together. */
const TOOLS_MAX = 256;

/**
 * An agent's tools, written out. Pure.
 * @param field where they were given, for errors
 * @throws AppError `invalid_request` for a second built-in toolset, for more tools than an agent may have
 *   (`details.error_code` `available_tools_limit_exceeded`), and for a custom tool with the name of another tool that the
 *   model is offered (`tool_name_conflict`)
 */
export function resolveTools(params: readonly AgentToolParams[], field = "tools"): AgentTool[] {
  const toolsets = params.flatMap(({ type }, index) => (type === "custom" ? [] : [index]));
  if (toolsets[1] !== undefined) throw invalid(`${field}.${toolsets[1]}: the built-in toolset may be given only once`);
  const tools = params.map((tool) => (tool.type === "custom" ? tool : resolveToolset(tool)));
  assertNotTooMany(tools, field);
  assertNamesDiffer(tools, field);
  return tools;
}

function assertNotTooMany(tools: readonly AgentTool[], field: string): void {
  const count = tools.reduce((sum, tool) => sum + (tool.type === "custom" ? 1 : tool.configs.length), 0);
  if (count <= TOOLS_MAX) return;
  throw coded("available_tools_limit_exceeded", `${field}: an agent may have ${TOOLS_MAX} tools; these are ${count}`);
}

function assertNamesDiffer(tools: readonly AgentTool[], field: string): void {
  const taken = new Set<string>(
    tools.flatMap((tool) =>
      tool.type === "custom" ? [] : tool.configs.flatMap(({ name, enabled }) => (enabled ? [name] : [])),
    ),
  );
  for (const [index, tool] of tools.entries()) {
    if (tool.type !== "custom") continue;
    if (taken.has(tool.name)) {
      throw coded("tool_name_conflict", `${field}.${index}.name: another tool is called \`${tool.name}\` already`);
    }
    taken.add(tool.name);
  }
}

const coded = (code: string, message: string): AppError => invalid(message, { details: { error_code: code } });
