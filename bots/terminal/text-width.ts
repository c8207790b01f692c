import { stripVTControlCharacters } from "node:util";

/** Characters that take two cells: East Asian wide and full-width forms, and pictographs. */
const WIDE =
  /[\u1100-\u115F\u2E80-\u303E\u3041-\uA4CF\uAC00-\uD7A3\uF900-\uFAFF\uFE30-\uFE6F\uFF00-\uFF60\uFFE0-\uFFE6\u{1F300}-\u{1FAFF}\u{20000}-\u{3FFFD}]/u;
const ZERO_WIDTH = /[\p{Mn}\p{Me}\p{Cf}\uFE0F]/u;
const ANSI_OR_CHAR = /\u001B\[[0-9;]*m|[\s\S]/gu;

/** How many cells a text takes on a terminal, colours not counted. Good enough for layout. */
export function textWidth(text: string): number {
  let width = 0;
  for (const char of stripVTControlCharacters(text)) width += widthOf(char);
  return width;
}

/** The text, cut to `cells` with an ellipsis where it is longer. Colours before the cut are kept and ended. */
export function fitWidth(text: string, cells: number): string {
  if (textWidth(text) <= cells) return text;
  let kept = "";
  let width = 0;
  for (const [part] of text.matchAll(ANSI_OR_CHAR)) {
    const isColour = part.length > 1 && part.startsWith("\u001B");
    if (!isColour && width + widthOf(part) > cells - 1) break;
    width += isColour ? 0 : widthOf(part);
    kept += part;
  }
  return `${kept.trimEnd()}…${text.includes("\u001B") ? "\u001B[0m" : ""}`;
}

/** Breaks one line between words. Continuation lines begin with `indent`. A word longer than the line is left whole. */
export function wrapLine(line: string, cells: number, indent: string): string[] {
  const lines: string[] = [];
  let current = "";
  for (const word of line.split(" ")) {
    const joined = current === "" ? word : `${current} ${word}`;
    if (current.trim() === "" || textWidth(joined) <= cells) {
      current = joined;
      continue;
    }
    lines.push(current);
    current = indent + word;
  }
  lines.push(current);
  return lines;
}

function widthOf(char: string): number {
  if (ZERO_WIDTH.test(char)) return 0;
  return WIDE.test(char) ? 2 : 1;
}
