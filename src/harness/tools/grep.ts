import { z } from "zod";
import { SearchPath } from "./paths.ts";
import { tool } from "./tool.ts";

const Input = z.strictObject({
  pattern: z
    .string()
    .min(1)
    .describe("A regular expression as ripgrep has them; escape . ( [ { to find them as they are."),
  path: SearchPath,
});

export const grep = tool({
  name: "grep",
  description: `Searches file contents with ripgrep. You get file:line:text for every matching line, up to 100 KiB. Binary and hidden files, and what .gitignore names, are skipped. For other options run rg in bash.`,
  input: Input,
  toOp: ({ pattern, path }) => ({ op: "grep", pattern, ...(path === undefined ? {} : { path }) }),
});
