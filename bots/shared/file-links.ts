import type { ChatFile, FileLink, WordsMessage } from "./chat-surface.ts";
import { formatBytes, notice } from "./render.ts";

export interface LinkedFile {
  file: Pick<ChatFile, "filename" | "sizeBytes">;
  link: FileLink | null;
}

/**
 * Pure: says where the files are that were not posted. `refusal` is what the surface said, in words for people; null where it
 * was not asked, since the channel's policy keeps files out.
 */
export function linksMessage(files: readonly LinkedFile[], refusal: string | null): WordsMessage {
  const lines = files.flatMap(({ file, link }) => (link ? linkLine(file, link) : []));
  const unlinked = files.filter(({ link }) => !link).map(({ file }) => `\`${file.filename}\``);
  const paragraphs: string[] = [];
  if (lines.length > 0) paragraphs.push(`${lines.length === 1 ? "This file is" : "These files are"} here to download:`);
  if (lines.length > 0) paragraphs.push(lines.join("\n"));
  if (unlinked.length > 0) {
    const why = refusal ?? "this channel's policy keeps files out. Ask whoever runs Deckhand for them.";
    paragraphs.push(`I could not post ${unlinked.join(", ")} here: ${why}`);
  }
  return notice(unlinked.length > 0 ? "error" : "info", paragraphs.join("\n\n"));
}

function linkLine(file: LinkedFile["file"], link: FileLink): string {
  const name = file.filename.replaceAll(/[\\[\]]/g, String.raw`\$&`);
  return `- [${name}](${link.url}) (${formatBytes(file.sizeBytes)}), until ${utcTime(link.expiresAt)}`;
}

/** `22 Nov 2026, 14:05 UTC`. */
function utcTime(ms: number): string {
  const [, day, month, year, time] = /, (\d+) (\w+) (\d+) (\d+:\d+)/.exec(new Date(ms).toUTCString()) ?? [];
  return `${day} ${month} ${year}, ${time} UTC`;
}
