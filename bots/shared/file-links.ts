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
  const unlinked = files.filter(({ link }) => !link).map(({ file }) => file);
  const paragraphs: string[] = [];
  if (refusal !== null) paragraphs.push(`I could not post ${names(files.map(({ file }) => file))} here: ${refusal}`);
  if (lines.length > 0) paragraphs.push(refusal === null ? "In this channel, files come as links:" : "To download:");
  if (lines.length > 0) paragraphs.push(lines.join("\n"));
  if (refusal === null && unlinked.length > 0) {
    const made = `I made ${names(unlinked)}, but this channel takes no files.`;
    paragraphs.push(`${made} Whoever runs Deckhand can get at them through the API.`);
  }
  return notice(refusal === null ? "info" : "warning", paragraphs.join("\n\n"));
}

function names(files: readonly LinkedFile["file"][]): string {
  return files.map(({ filename }) => `\`${filename}\``).join(", ");
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
