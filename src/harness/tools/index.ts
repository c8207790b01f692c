import type { z } from "zod";
import type { SandboxOp } from "../../sandbox/sandbox.ts";
import type { BuiltInToolName } from "../../schemas/agent.ts";
import { bash } from "./bash.ts";
import { edit } from "./edit.ts";
import { glob } from "./glob.ts";
import { grep } from "./grep.ts";
import { read } from "./read.ts";
import type { Tool } from "./tool.ts";
import { write } from "./write.ts";

/** The tools of `agent_toolset_20260401` that run in a sandbox. */
export const builtInTools = { bash, read, write, edit, glob, grep } satisfies Record<BuiltInToolName, unknown>;

/**
 * What the sandbox is to run for the model's arguments, or an error text that names the field and is for the model to
 * read. A field that is null counts as left out. Pure.
 */
export function parseToolInput(
  name: BuiltInToolName,
  input: Record<string, unknown>,
): { op: SandboxOp } | { error: string } {
  switch (name) {
    case "bash":
      return parse(bash, input);
    case "read":
      return parse(read, input);
    case "write":
      return parse(write, input);
    case "edit":
      return parse(edit, input);
    case "glob":
      return parse(glob, input);
    case "grep":
      return parse(grep, input);
  }
}

function parse<Input extends z.ZodType>(tool: Tool<Input>, input: Record<string, unknown>) {
  const given = Object.fromEntries(Object.entries(input).filter(([, value]) => value !== null));
  const parsed = tool.input.safeParse(given);
  if (parsed.success) return { op: tool.toOp(parsed.data) };
  const problems = parsed.error.issues.map(({ path, message }) => `${path.join(".") || "input"}: ${message}`);
  return { error: `Invalid arguments for ${tool.name}. ${problems.join("; ")}` };
}
