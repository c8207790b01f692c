import type { ContentBlock } from "../schemas/content.ts";
import type { SandboxContent, SandboxResult } from "../sandbox/sandbox.ts";

export interface ToolResult {
  content: ContentBlock[];
  is_error: boolean;
}

export const INTERRUPTED = errorResult("Tool execution was interrupted before completion. Please retry.");
export const OUTCOME_UNKNOWN = errorResult(
  "The sandbox was lost while this call may have been running: whether it had any effect is unknown. If the sandbox had " +
    "to be replaced, it is empty except for the session's uploads. Check what is there before you repeat the call.",
);

/** Of a call that a person refused: it did not run. */
export function rejectedResult(reason: string | null | undefined): ToolResult {
  const rejected = "The user rejected this tool call, so it did not run.";
  return errorResult(reason ? `${rejected} They say: ${reason}` : rejected);
}

/** Longer text goes to a file in the sandbox, and the model sees its beginning and end. */
export const RESULT_CHARS_MAX = 100_000;
const PREVIEW_CHARS = 8_000;

export function errorResult(text: string): ToolResult {
  return { content: [{ type: "text", text }], is_error: true };
}

export function toToolResult({ content, isError }: SandboxResult): ToolResult {
  return { content: content.map(toBlock), is_error: isError };
}

/** Text beyond the limit, or null when all of it fits. */
export function oversizedText(result: ToolResult): string | null {
  const text = result.content.flatMap((block) => (block.type === "text" ? [block.text] : [])).join("\n");
  return text.length > RESULT_CHARS_MAX ? text : null;
}

/** What the model sees in place of `text`, which is in the file at `path`. Pure. */
export function spilledPreview(text: string, path: string): string {
  return [
    `[The output has ${text.length} characters. All of it is in ${path}; here are the first and last ${PREVIEW_CHARS}.]`,
    text.slice(0, PREVIEW_CHARS),
    `[… ${text.length - 2 * PREVIEW_CHARS} characters left out …]`,
    text.slice(-PREVIEW_CHARS),
  ].join("\n");
}

/** The result with lines after its text. Pure. */
export function withLines({ content, is_error }: ToolResult, lines: readonly string[]): ToolResult {
  if (lines.length === 0) return { content, is_error };
  const last = content.findLastIndex((block) => block.type === "text");
  const text = lines.join("\n");
  if (last === -1) return { content: [...content, { type: "text", text }], is_error };
  const joined = content.map((block, index) =>
    index === last && block.type === "text"
      ? { ...block, text: `${block.text.trimEnd()}\n${text}`.trimStart() }
      : block,
  );
  return { content: joined, is_error };
}

function toBlock(part: SandboxContent): ContentBlock {
  if (part.type === "text") return part;
  return { type: part.type, source: { type: "base64", media_type: part.media_type, data: part.data } };
}
