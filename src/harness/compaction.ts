import type { ModelMessage } from "../models/model-provider.ts";
import type { LoggedEvent } from "../sessions/event-log.ts";

/** The context is compacted when it holds more than this part of the model's window. */
export const COMPACT_AT = 0.8;

const INSTRUCTION = `The conversation is about to be cut: only what you write now will be left of it. Write a handover to
yourself: what was asked for and by whom, what was decided and why, what has been done, the files that matter with their
paths and what is in them, figures you will need again, what failed, and what is to be done next. Be complete and exact;
leave out pleasantries. Do not call tools.`;

/** The request that asks for a summary. Pure. */
export function compactionMessages(messages: readonly ModelMessage[]): ModelMessage[] {
  const instruction = { type: "text" as const, text: INSTRUCTION };
  const last = messages.at(-1);
  if (last?.role !== "user") return [...messages, { role: "user", content: [instruction] }];
  return [...messages.slice(0, -1), { role: "user", content: [...last.content, instruction] }];
}

/** What stands for the conversation from now on; the last request is kept word for word. Pure. */
export function compactedContext(summary: string, events: readonly LoggedEvent[]): string {
  const lastRequest = events.findLast(({ event }) => event.type === "user.message")?.event;
  const words =
    lastRequest?.type === "user.message"
      ? lastRequest.content.flatMap((block) => (block.type === "text" ? [block.text] : [])).join("\n")
      : "";
  const parts = [`[The conversation so far was summarised to save space.]\n\n${summary}`];
  if (words !== "") parts.push(`[The user's last message, word for word:]\n\n${words}`);
  parts.push("[Go on from here.]");
  return parts.join("\n\n");
}
