import type { AnyBlock } from "@slack/types";

/** A message as Slack takes it. */
export interface Rendering {
  /** What notifications and screen readers say, in Slack's markup. At most `TEXT_CHARS_MAX`. */
  text: string;
  blocks: AnyBlock[];
}

/** `chat.update` refuses a longer text. */
export const TEXT_CHARS_MAX = 4_000;
export const SECTION_CHARS_MAX = 3_000;
export const BLOCKS_MAX = 50;
/**
 * Of all blocks of a message as JSON. Slack says `msg_blocks_too_long` at about 13,000, which is written nowhere, and takes
 * 12,000 characters of Markdown in a message.
 */
export const BLOCKS_CHARS_MAX = 11_900;

export function blockChars(blocks: readonly AnyBlock[]): number {
  return JSON.stringify(blocks).length;
}

export function fits(blocks: readonly AnyBlock[]): boolean {
  return blocks.length > 0 && blocks.length <= BLOCKS_MAX && blockChars(blocks) <= BLOCKS_CHARS_MAX;
}

/** The beginning of a text, not cut within a character or an entity such as `&amp;`. */
export function cut(text: string, charsMax: number): string {
  if (text.length <= charsMax) return text;
  const head = text.slice(0, Math.max(0, charsMax - 1)).replace(/[\uD800-\uDBFF]$/, "");
  return `${head.replace(/&[a-z]{0,4}$/, "")}…`;
}

/** Without what has no look, and would only take room or break the JSON. */
export function printable(text: string): string {
  return text.toWellFormed().replaceAll(/[^\P{Cc}\n\t]/gu, "");
}

/** What the message says, as plain text: for a message whose blocks Slack does not take, so that no answer is lost. */
export function plainRendering(text: string, words: string): Rendering {
  const blocks: AnyBlock[] = [];
  let rest = printable(words);
  while (rest.trim() !== "") {
    const piece = rest.slice(0, SECTION_CHARS_MAX).replace(/[\uD800-\uDBFF]$/, "");
    rest = rest.slice(piece.length);
    if (piece.trim() === "") continue;
    const next = [
      ...blocks,
      { type: "section", text: { type: "plain_text", text: piece, emoji: false }, expand: true },
    ];
    if (!fits(next)) break;
    blocks.push(...next.slice(blocks.length));
  }
  return { text, blocks };
}
