import { z } from "zod";
import type { SandboxOp } from "../../sandbox/sandbox.ts";

/** A tool as the model sees it, and how its input becomes what the sandbox runs. */
export interface Tool<Input extends z.ZodType = z.ZodType> {
  name: string;
  /** For the model: what the tool does, what it gives back, and when to take another one. */
  description: string;
  input: Input;
  /** What the model gets of `input`, descriptions included. Not to be changed. */
  inputSchema(): Record<string, unknown>;
  toOp(input: z.output<Input>): SandboxOp;
}

/** Keeps the input's type between `input` and `toOp`. */
export function tool<Input extends z.ZodType>(definition: Omit<Tool<Input>, "inputSchema">): Tool<Input> {
  let schema: Record<string, unknown> | null = null;
  // Every model request of every session has the same one.
  return { ...definition, inputSchema: () => (schema ??= z.toJSONSchema(definition.input)) };
}
