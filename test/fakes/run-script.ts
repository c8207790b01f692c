import { type Answer, bash, delayGate, says } from "./messages-answer.ts";
import type { MessagesRequest } from "./messages-request.ts";

const ECHOED_CHARS = 200;

/**
 * The script of the fake when it runs as a process of its own. The last text of the user steers it:
 * - `run: COMMAND` (to the end of the line) makes the first answer of the turn one bash call;
 * - `hold_before_ms: N` and `hold_middle_ms: N` hold that answer before its first byte, or half way through.
 * After the tool's result, and when there is nothing to run, the answer is text.
 */
export function runScript(request: MessagesRequest): Answer {
  const content = request.messages.at(-1)?.content ?? [];
  const last = content.at(-1);
  const text = last?.type === "text" ? last.text : "";
  const command = /^\s*run:\s*(.+)$/m.exec(text)?.[1];
  const result = content.findLast((block) => block.type === "tool_result");
  const answer = command === undefined ? says("Done", ": ", textOf(result) || "nothing to run", ".") : bash(command);
  return { ...answer, ...holds(text) };
}

function holds(text: string) {
  const beforeMs = /hold_before_ms:\s*(\d+)/.exec(text)?.[1];
  const middleMs = /hold_middle_ms:\s*(\d+)/.exec(text)?.[1];
  return {
    ...(beforeMs !== undefined && { before: delayGate(Number(beforeMs)) }),
    ...(middleMs !== undefined && { middle: delayGate(Number(middleMs)) }),
  };
}

function textOf(block: MessagesRequest["messages"][number]["content"][number] | undefined): string {
  if (block?.type !== "tool_result") return "";
  const texts = block.content.map((part) => (part.type === "text" ? part.text : `[${part.type}]`));
  return texts.join("\n").trim().slice(0, ECHOED_CHARS);
}
