import { z } from "zod";
import { FilePath } from "./paths.ts";
import { tool } from "./tool.ts";

const Input = z.strictObject({
  file_path: FilePath,
  old_string: z
    .string()
    .min(1)
    .describe("The text to replace, exactly as it is in the file, spaces and line ends included."),
  new_string: z.string().describe("What to put there. May be empty."),
  replace_all: z.boolean().optional().describe("Replace every occurrence. Otherwise there must be exactly one."),
});

export const edit = tool({
  name: "edit",
  description: `Replaces text in a file. old_string must occur exactly once, so give enough of the lines around it, or set replace_all. Nothing is changed when it is not found, or found more often.`,
  input: Input,
  toOp: ({ replace_all, ...input }) => ({
    op: "edit",
    ...input,
    ...(replace_all === undefined ? {} : { replace_all }),
  }),
});
