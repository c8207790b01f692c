import path from "node:path";
import { extensionOf } from "./mime-type.ts";

const NAME_BYTES_MAX = 255;
/** Control characters, what no file system takes, and characters that turn the direction of the text around them. */
// oxlint-disable-next-line no-control-regex
const UNSAFE = /[\u0000-\u001f\u007f"<>|:*?\u200e\u200f\u202a-\u202e\u2066-\u2069]/g;

/** The last component of whatever a client called its file, safe to show, to save and to put in a header. Pure. */
export function safeFilename(given: string | undefined, mimeType: string): string {
  const base = (given ?? "").split(/[\\/]/).at(-1) ?? "";
  const name = shorten(base.replaceAll(UNSAFE, "").trim());
  return /^\.*$/.test(name) ? `unnamed${extensionOf(mimeType)}` : name;
}

/** Cuts the stem and keeps the extension; never splits a character. */
function shorten(name: string): string {
  if (Buffer.byteLength(name) <= NAME_BYTES_MAX) return name;
  const { name: stem, ext } = path.parse(name);
  const end = Buffer.byteLength(ext) < NAME_BYTES_MAX / 2 ? ext : "";
  let kept = "";
  for (const character of stem) {
    if (Buffer.byteLength(kept + character + end) > NAME_BYTES_MAX) break;
    kept += character;
  }
  return kept + end;
}
