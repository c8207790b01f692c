const FENCE = /^ {0,3}(`{3,}|~{3,})(.*)$/;

/**
 * Cuts Markdown into parts of at most `charsMax` UTF-16 units: between paragraphs where it can, else between lines, else
 * between words. A code block that is cut is closed and opened again. `charsMax` must be at least 64.
 */
export function splitMarkdown(markdown: string, charsMax: number): string[] {
  const parts: string[] = [];
  let rest = markdown.trim();
  let fence: string | null = null;
  while (rest !== "") {
    const opening: string = fence === null ? "" : `${fence}\n`;
    if (opening.length + rest.length <= charsMax) {
      parts.push(opening + rest);
      break;
    }
    // Room for closing a block that the cut may fall into.
    const cut = cutAt(rest, charsMax - opening.length - CLOSING_CHARS);
    const piece = rest.slice(0, cut).trimEnd();
    const open = openFence(opening + piece);
    parts.push(opening + piece + (open === null ? "" : `\n${/^(`+|~+)/.exec(open)?.[0] ?? ""}`));
    fence = open;
    rest = open === null ? rest.slice(cut).trimStart() : rest.slice(cut).replace(/^\n+/, "");
  }
  return parts;
}

const CLOSING_CHARS = 8;
const LANGUAGE_CHARS_MAX = 24;

function cutAt(text: string, charsMax: number): number {
  const head = text.slice(0, charsMax + 1);
  for (const boundary of ["\n\n", "\n", " "]) {
    const at = head.lastIndexOf(boundary);
    // A part that is nearly empty reads worse than a cut at a lesser boundary.
    if (at > charsMax / 4) return at;
  }
  const splitsPair = /[\uD800-\uDBFF]$/.test(text.slice(0, charsMax));
  return splitsPair ? charsMax - 1 : charsMax;
}

/** The opening line of the code block that is still open at the end; null when none is. */
function openFence(markdown: string): string | null {
  let open: string | null = null;
  for (const line of markdown.split("\n")) {
    const match = FENCE.exec(line);
    if (!match) continue;
    const marks = match[1] ?? "";
    const info = (match[2] ?? "").trim();
    if (open === null) open = marks.slice(0, 6) + info.slice(0, LANGUAGE_CHARS_MAX);
    else if (info === "" && marks.startsWith(/^(`+|~+)/.exec(open)?.[0] ?? "`")) open = null;
  }
  return open;
}
