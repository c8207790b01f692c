import type { RichTextBlock, RichTextElement, RichTextSection } from "@slack/types";
import type { ChatFile, FileLink } from "../../shared/chat-surface.ts";
import { fileKind } from "../../shared/file-kind.ts";
import { formatBytes } from "../../shared/render.ts";
import { escapeMrkdwn } from "../mrkdwn.ts";
import { BLOCKS_CHARS_MAX, blockChars, cut, printable, TEXT_CHARS_MAX, type Rendering } from "./rendering.ts";

/** A file as its message tells of it. */
export interface UploadedFile {
  file: ChatFile;
  /** Why Slack does not hold it, in words that complete "not posted here: "; null when it does. */
  refused: string | null;
  /** Where it is instead. */
  link: FileLink | null;
}

/**
 * Pure: the message that files come with: name, what it is, size, and a link for what Slack did not take. Rich text, because
 * `files.completeUploadExternal` fails with `internal_error` on `markdown` blocks.
 */
export function uploadRendering(files: readonly UploadedFile[], now: number): Rendering {
  let shown = files.length;
  let block = filesBlock(files, shown, now);
  while (shown > 1 && blockChars([block]) > BLOCKS_CHARS_MAX) block = filesBlock(files, --shown, now);
  const names = files.map(({ file }) => escapeMrkdwn(printable(file.filename))).join(", ");
  return { text: cut(names, TEXT_CHARS_MAX), blocks: [block] };
}

const NAME_CHARS_MAX = 200;

function filesBlock(files: readonly UploadedFile[], shown: number, now: number): RichTextBlock {
  const items = files.slice(0, shown).map((file) => fileLine(file, now));
  const more = files.length - shown;
  if (more > 0) items.push({ type: "rich_text_section", elements: [{ type: "text", text: `and ${more} more` }] });
  const [only] = items;
  return {
    type: "rich_text",
    elements: items.length === 1 && only ? [only] : [{ type: "rich_text_list", style: "bullet", elements: items }],
  };
}

function fileLine({ file, refused, link }: UploadedFile, now: number): RichTextSection {
  const name = cut(printable(file.filename), NAME_CHARS_MAX);
  const elements: RichTextElement[] = [
    { type: "text", text: name, style: { bold: true } },
    { type: "text", text: ` · ${fileKind(file.filename, file.mimeType)} · ${formatBytes(file.sizeBytes)}` },
  ];
  if (refused !== null) elements.push({ type: "text", text: ` · not posted here: ${refused.replace(/\.$/, "")}` });
  if (refused !== null && link) {
    elements.push({ type: "text", text: " · " }, { type: "link", url: link.url, text: "Download" });
    elements.push({ type: "text", text: ` (${lifetime(link.expiresAt - now)})` });
  }
  return { type: "rich_text_section", elements };
}

function lifetime(leftMs: number): string {
  const minutes = Math.max(0, Math.round(leftMs / 60_000));
  if (minutes < 90) return `the link works for ${minutes} minutes`;
  const hours = Math.round(minutes / 60);
  return hours < 48 ? `the link works for ${hours} hours` : `the link works for ${Math.round(hours / 24)} days`;
}
