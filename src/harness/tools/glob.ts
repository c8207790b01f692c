import { z } from "zod";
import { SearchPath } from "./paths.ts";
import { tool } from "./tool.ts";

const Input = z.strictObject({
  pattern: z.string().min(1).describe("For example **/*.csv or report.{xlsx,pptx}."),
  path: SearchPath,
});

export const glob = tool({
  name: "glob",
  description: `Finds files by their path. \`*\` matches within a name, \`**\` across folders, \`?\` one character, \`{a,b}\` either. You get absolute paths, the most recently changed first, at most 200. .git and node_modules are skipped.`,
  input: Input,
  toOp: ({ pattern, path }) => ({ op: "glob", pattern, ...(path === undefined ? {} : { path }) }),
});
