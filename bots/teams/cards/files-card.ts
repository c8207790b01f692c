import type { ChatFile, FileLink } from "../../shared/chat-surface.ts";
import { fileKind } from "../../shared/file-kind.ts";
import { formatBytes } from "../../shared/render.ts";
import type { OutboundActivity } from "../teams-connector.ts";
import { fits, oneLine } from "./activity-size.ts";
import { adaptiveCard, type CardPart, literalBlock, type TeamsAttachment, textBlock } from "./adaptive-card.ts";

/** A file as its message tells of it. */
export interface OfferedFile {
  file: Pick<ChatFile, "filename" | "mimeType" | "sizeBytes">;
  /** PNG; null where there is none, or no room for it. */
  preview: Uint8Array | null;
  link: FileLink | null;
  /** What else is to be known, on one line, such as how it is saved. */
  note: string | null;
}

const NAME_CHARS_MAX = 200;
const NOTE_CHARS_MAX = 300;

/** Pure: the message that files come with: what each is, its first page as a picture, and where it is to be had. */
export function filesActivity(
  files: readonly OfferedFile[],
  attachments: readonly TeamsAttachment[],
  now: number,
): OutboundActivity {
  const summary = oneLine(files.map(({ file }) => file.filename).join(", "), NAME_CHARS_MAX);
  for (let shown = files.length; ; shown--) {
    const more = files.length - shown;
    const body = [
      ...files.slice(0, shown).flatMap((file, index) => fileBlocks(file, index > 0, now)),
      ...(more > 0 ? [textBlock(`and ${more} more`)] : []),
    ];
    const activity: OutboundActivity = { type: "message", summary, attachments: [adaptiveCard(body), ...attachments] };
    if (shown <= 1 || fits(activity)) return activity;
  }
}

function fileBlocks({ file, preview, link, note }: OfferedFile, separator: boolean, now: number): CardPart[] {
  const name = oneLine(file.filename, NAME_CHARS_MAX) || "file";
  const about = ` · ${fileKind(file.filename, file.mimeType)} · ${formatBytes(file.sizeBytes)}`;
  return [
    literalBlock([{ text: name, weight: "bolder" }, { text: about }], { separator }),
    ...(preview ? [picture(preview, name)] : []),
    ...(note === null ? [] : [literalBlock([{ text: oneLine(note, NOTE_CHARS_MAX), size: "small", isSubtle: true }])]),
    ...(link ? [linkBlock(link, now)] : []),
  ];
}

function picture(png: Uint8Array, name: string): CardPart {
  const url = `data:image/png;base64,${Buffer.from(png).toString("base64")}`;
  return { type: "Image", url, altText: `Preview of ${name}`, size: "stretch" };
}

function linkBlock({ url, expiresAt }: FileLink, now: number): CardPart {
  const address = url.replaceAll("(", "%28").replaceAll(")", "%29");
  return textBlock(`[Download](${address}) (${lifetime(expiresAt - now)})`, { spacing: "small" });
}

function lifetime(leftMs: number): string {
  const minutes = Math.max(0, Math.round(leftMs / 60_000));
  if (minutes < 90) return `the link works for ${minutes} minutes`;
  const hours = Math.round(minutes / 60);
  return hours < 48 ? `the link works for ${hours} hours` : `the link works for ${Math.round(hours / 24)} days`;
}
