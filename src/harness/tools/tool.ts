import type { z } from "zod";
import type { SandboxOp } from "../../sandbox/sandbox.ts";

/** A tool as the model sees it, and how its input becomes what the sandbox runs. */
export interface Tool<Input extends z.ZodType = z.ZodType> {
  name: string;
  /** For the model: what the tool does, what it gives back, and when to take another one. */
  description: string;
  /** The JSON schema the model gets comes from this, descriptions included. */
  input: Input;
  toOp(input: z.output<Input>): SandboxOp;
}

/** Keeps the input's type between `input` and `toOp`. */
export function tool<Input extends z.ZodType>(definition: Tool<Input>): Tool<Input> {
  return definition;
}
