import type { AnyBlock, Button } from "@slack/types";
import { z } from "zod";
import { chatThreadKey, parseChatThreadKey, type ChatThreadKey } from "../../shared/chat-thread.ts";
import type { SlashReply } from "../../shared/slash.ts";
import type { ThreadAction } from "../../shared/thread-action.ts";
import { answerRenderings } from "./answer-blocks.ts";
import { BLOCKS_MAX, cut, type Rendering } from "./rendering.ts";
import { threadLineBlock } from "./thread-line-blocks.ts";

/** `action_id` of the buttons that choose a thread. Several stand in one message, each with a suffix of its own. */
export const PICK_ACTION = /^deckhand_pick:\d+$/;

/** What a button of a pick says. */
const Picked = z.object({
  action: z.enum(["stop", "steer", "new"]),
  thread: z.string(),
  text: z.string().nullable(),
});
/** Slack's limit on the value of a button. What was to be said in a thread is cut where it has to be. */
const VALUE_CHARS_MAX = 2_000;

const LABELS: Record<ThreadAction, string> = { stop: "Stop", steer: "Tell this one", new: "Start over" };
const NO_THREADS = "_None._";

/** Pure: the reply to a slash command, as the caller alone sees it. */
export function slashRendering(reply: SlashReply): Rendering {
  switch (reply.type) {
    case "notice":
      return answerRenderings(reply)[0] ?? { text: reply.markdown, blocks: [] };
    case "list": {
      const blocks = reply.sections.flatMap(({ title, threads }) => [
        header(title),
        ...(threads.length === 0 ? [section(NO_THREADS)] : threads.map((line) => threadLineBlock(line, null))),
      ]);
      return { text: reply.sections.map(({ title }) => title).join(", "), blocks: blocks.slice(0, BLOCKS_MAX) };
    }
    case "pick": {
      const lines = reply.threads.map((line, index) =>
        threadLineBlock(line, pickButton(reply.action, line.thread, reply.text, index)),
      );
      return { text: reply.markdown, blocks: [section(reply.markdown), ...lines].slice(0, BLOCKS_MAX) };
    }
  }
}

/** Pure: what a button of a pick brought back. @throws ZodError, SyntaxError or ChatThreadKeyError when it is none of ours */
export function parsePicked(value: unknown): { action: ThreadAction; thread: ChatThreadKey; text: string | null } {
  const { action, thread, text } = Picked.parse(JSON.parse(z.string().parse(value)));
  return { action, thread: chatThreadKey(parseChatThreadKey(thread)), text };
}

function pickButton(action: ThreadAction, thread: ChatThreadKey, text: string | null, index: number): Button {
  return {
    type: "button",
    action_id: `deckhand_pick:${index}`,
    text: { type: "plain_text", text: LABELS[action] },
    value: pickValue(action, thread, text),
    ...(action === "stop" && { style: "danger" }),
  };
}

function pickValue(action: ThreadAction, thread: ChatThreadKey, text: string | null): string {
  const value = JSON.stringify({ action, thread, text });
  if (text === null || value.length <= VALUE_CHARS_MAX) return value;
  return pickValue(action, thread, cut(text, Math.floor(text.length * 0.9)));
}

function header(text: string): AnyBlock {
  return { type: "header", text: { type: "plain_text", text } };
}

function section(text: string): AnyBlock {
  return { type: "section", text: { type: "mrkdwn", text } };
}
