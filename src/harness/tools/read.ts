import { z } from "zod";
import { FilePath } from "./paths.ts";
import { tool } from "./tool.ts";

const Input = z.strictObject({
  file_path: FilePath,
  view_range: z
    .array(z.int())
    .length(2)
    .optional()
    .describe("First and last line to read, counted from 1. A last line of 0 or less means the end of the file."),
});

export const read = tool({
  name: "read",
  description: `Reads a file.

Text comes as it is, up to 256 KiB; read a larger file in parts with view_range. PNG, JPEG, GIF and WebP images are shown to you as pictures, so you can check a chart or a rendered page. A PDF of up to 10 MB is shown with its pages; with view_range, or beyond 10 MB, you get its text. Notebooks come as their cells. For other binary files (xlsx, docx, pptx, zip) use bash, for example with python3. Folders are listed by glob.`,
  input: Input,
  toOp: ({ file_path, view_range }) => {
    const [first, last] = view_range ?? [];
    return {
      op: "read",
      file_path,
      ...(first === undefined || last === undefined ? {} : { view_range: [first, last] }),
    };
  },
});
