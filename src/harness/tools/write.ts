import { z } from "zod";
import { FilePath } from "./paths.ts";
import { tool } from "./tool.ts";

const Input = z.strictObject({ file_path: FilePath, content: z.string().describe("The whole of the new file.") });

export const write = tool({
  name: "write",
  description: `Writes a text file, replacing what is there. Folders that are missing are made. The file is replaced in one step: nobody sees half of it. To change a part of a file use edit. Make binary files, such as workbooks and decks, with a program run by bash.`,
  input: Input,
  toOp: (input) => ({ op: "write", ...input }),
});
