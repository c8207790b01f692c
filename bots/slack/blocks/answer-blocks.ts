import type { AnyBlock, ContextActionsBlock } from "@slack/types";
import type { WordsMessage } from "../../shared/chat-surface.ts";
import { alignedTable, splitTables, type MarkdownSegment } from "../../shared/markdown-tables.ts";
import { ACTION_IDS, encodeRating } from "../action-ids.ts";
import { toMrkdwn } from "../markdown.ts";
import {
  BLOCKS_CHARS_MAX,
  blockChars,
  cut,
  fits,
  plainRendering,
  printable,
  TEXT_CHARS_MAX,
  type Rendering,
} from "./rendering.ts";
import { tableBlock } from "./table-block.ts";

/** As long as a message fits whatever is in it: as JSON, each character may take two. */
export const MARKDOWN_CHARS_MAX = 5_600;

/** Pure: an answer or a notice, the most faithful rendering first; each next one asks less of Slack. */
export function answerRenderings(message: WordsMessage): Rendering[] {
  const markdown = answerMarkdown(message);
  const text = cut(toMrkdwn(markdown).trim() || EMPTY, TEXT_CHARS_MAX);
  const feedback = message.type === "text" && message.answerId !== null ? [feedbackBlock(message.answerId)] : [];
  const blocks = answerBlocks(markdown, feedback);
  return [{ text, blocks }, plainRendering(text, markdown.trim() || EMPTY)];
}

/** Pure: the words of a message as Slack is given them. */
export function answerMarkdown(message: WordsMessage): string {
  return withoutBroadcasts(printable(markdownOf(message)));
}

const EMPTY = "(no text)";
const ICONS = { info: "ℹ️", warning: "⚠️", error: "❌" } as const;

function markdownOf(message: WordsMessage): string {
  if (message.type === "text") return message.markdown;
  const begins =
    /^(?:[\p{L}\p{N}"'`([]|\*\*\S)/u.test(message.markdown) && !/^(?:`{3}|\d+[.)]\s)/.test(message.markdown);
  return `${ICONS[message.level]}${begins ? " " : "\n\n"}${message.markdown}`;
}

/** A text of the model's must not call everybody in the channel. */
function withoutBroadcasts(markdown: string): string {
  return markdown.replaceAll(
    /<!(?:subteam\^[^>|]*\|@?([^>]*)|(\w+)[^>]*)>/g,
    (whole, group?: string, command?: string) =>
      group !== undefined || /^(?:channel|here|everyone|subteam)$/.test(command ?? "") ? `@${group ?? command}` : whole,
  );
}

function answerBlocks(markdown: string, after: readonly AnyBlock[]): AnyBlock[] {
  const segments = splitTables(markdown);
  const candidates = [
    () => segmentBlocks(segments, true),
    () => segmentBlocks(segments, false),
    () => (markdown.trim() === "" ? [] : [markdownBlock(markdown)]),
  ];
  for (const candidate of candidates) {
    const blocks = [...candidate(), ...after];
    if (blocks.length > after.length && fits(blocks)) return blocks;
  }
  const room = BLOCKS_CHARS_MAX - blockChars([markdownBlock(""), ...after]);
  return [markdownBlock(cutToJson(markdown.trim() || EMPTY, room)), ...after];
}

/** One table of a message can be a table; Slack refuses a second. The others are code. */
function segmentBlocks(segments: readonly MarkdownSegment[], tables: boolean): AnyBlock[] {
  let table = !tables;
  const parts: (AnyBlock | string)[] = segments.map((segment) => {
    if (segment.type === "prose") return segment.markdown;
    const block = table ? null : tableBlock(segment);
    if (block) {
      table = true;
      return block;
    }
    return fenced(alignedTable(segment, BLOCKS_CHARS_MAX / 2) ?? segment.source);
  });
  const blocks: AnyBlock[] = [];
  let words: string[] = [];
  const flush = () => {
    if (words.length > 0) blocks.push(markdownBlock(words.join("\n\n")));
    words = [];
  };
  for (const part of parts) {
    if (typeof part === "string") words.push(part);
    else {
      flush();
      blocks.push(part);
    }
  }
  flush();
  return blocks;
}

function fenced(text: string): string {
  const longest = Math.max(2, ...[...text.matchAll(/`+/g)].map((run) => run[0].length));
  const marks = "`".repeat(longest + 1);
  return `${marks}\n${text}\n${marks}`;
}

function markdownBlock(text: string): AnyBlock {
  return { type: "markdown", text };
}

function cutToJson(text: string, charsMax: number): string {
  let end = Math.min(text.length, charsMax);
  while (end > 1 && JSON.stringify(cut(text, end)).length > charsMax) end = Math.floor(end * 0.9);
  return cut(text, end);
}

function feedbackBlock(answerId: string): ContextActionsBlock {
  const button = (words: string, label: string, value: "up" | "down") => ({
    text: { type: "plain_text" as const, text: words },
    accessibility_label: label,
    value: encodeRating({ answerId, value }),
  });
  return {
    type: "context_actions",
    elements: [
      {
        type: "feedback_buttons",
        action_id: ACTION_IDS.rate,
        positive_button: button("Good", "This answer is good", "up"),
        negative_button: button("Bad", "This answer is bad", "down"),
      },
    ],
  };
}
