export type Align = "left" | "center" | "right";

export interface MarkdownTable {
  type: "table";
  /** As it was written. */
  source: string;
  align: Align[];
  /** The first row is the header. All have the same number of cells, in inline Markdown. */
  rows: string[][];
}

export type MarkdownSegment = { type: "prose"; markdown: string } | MarkdownTable;

const FENCE = /^ {0,3}(`{3,}|~{3,})(.*)$/;
const TABLE_RULE = /^\s*\|?\s*:?-+:?\s*(?:\|\s*:?-+:?\s*)*\|?\s*$/;

/** Pure: Markdown cut at its tables, in order. Tables inside code blocks are code. */
export function splitTables(markdown: string): MarkdownSegment[] {
  const lines = markdown.split("\n");
  const segments: MarkdownSegment[] = [];
  let prose: string[] = [];
  let fence: string | null = null;
  const flush = () => {
    const text = prose.join("\n");
    if (text.trim() !== "") segments.push({ type: "prose", markdown: text.replace(/^\n+|\s+$/g, "") });
    prose = [];
  };
  for (let index = 0; index < lines.length; index++) {
    const line = lines[index] ?? "";
    const table = fence === null ? tableAt(lines, index) : null;
    if (table) {
      flush();
      segments.push(table);
      index += table.source.split("\n").length - 1;
    } else {
      fence = fenceAfter(fence, line);
      prose.push(line);
    }
  }
  flush();
  return segments;
}

/** Pure: a table with its columns lined up, for a code block; null when that takes more than `charsMax`. */
export function alignedTable({ rows, align }: MarkdownTable, charsMax: number): string | null {
  const plain = rows.map((row) => row.map((cell) => inlineText(cell)));
  const widths = (plain[0] ?? []).map((_, column) => Math.max(3, ...plain.map((row) => width(row[column] ?? ""))));
  const lineChars = widths.reduce((sum, cells) => sum + cells + 2, 0);
  if (lineChars * (plain.length + 1) > charsMax) return null;
  const draw = (row: string[]) =>
    row
      .map((cell, column) => pad(cell, widths[column] ?? 0, align[column] ?? "left"))
      .join("  ")
      .trimEnd();
  const [header = [], ...body] = plain;
  return [draw(header), widths.map((cells) => "─".repeat(cells)).join("  "), ...body.map((row) => draw(row))].join(
    "\n",
  );
}

/** Pure: inline Markdown without its marks; a link keeps its address. */
export function inlineText(markdown: string): string {
  return markdown
    .replaceAll(/!?\[([^\]]*)\]\(([^)\s]+)[^)]*\)/g, (_, label: string, url: string) =>
      label === "" || label === url ? url : `${label} (${url})`,
    )
    .replaceAll(/(\*\*|__|~~)(\S(?:.*?\S)?)\1/g, "$2")
    .replaceAll(/`([^`]+)`/g, "$1")
    .replaceAll(/(?<![*\w])\*(\S(?:[^*]*?\S)?)\*(?![*\w])/g, "$1")
    .replaceAll(/<br\s*\/?>/gi, " ")
    .replaceAll(/\\([\\`*_{}[\]()#+\-.!|~<>])/g, "$1");
}

function tableAt(lines: readonly string[], start: number): MarkdownTable | null {
  const header = lines[start] ?? "";
  const rule = lines[start + 1] ?? "";
  if (!header.includes("|") || !rule.includes("-") || !TABLE_RULE.test(rule)) return null;
  const names = cellsOf(header);
  const align = cellsOf(rule).map((cell) => alignOf(cell));
  if (names.length !== align.length || (names.length === 1 && !rule.includes("|"))) return null;
  let end = start + 2;
  while ((lines[end] ?? "").includes("|") && !FENCE.test(lines[end] ?? "")) end++;
  const body = lines.slice(start + 2, end).map((line) => cellsOf(line));
  const rows = [names, ...body].map((row) => names.map((_, column) => row[column] ?? ""));
  return { type: "table", source: lines.slice(start, end).join("\n"), align, rows };
}

function cellsOf(line: string): string[] {
  const inner = line
    .trim()
    .replace(/^\|/, "")
    .replace(/(?<!\\)\|$/, "");
  return inner.split(/(?<!\\)\|/).map((cell) => cell.trim().replaceAll("\\|", "|"));
}

function alignOf(rule: string): Align {
  if (rule.endsWith(":")) return rule.startsWith(":") ? "center" : "right";
  return "left";
}

/** Pure: the marks that close the code block which is open after this line; null when none is. */
export function fenceAfter(open: string | null, line: string): string | null {
  const match = FENCE.exec(line);
  if (!match) return open;
  const marks = match[1] ?? "";
  if (open === null) return marks.startsWith("`") && (match[2] ?? "").includes("`") ? null : marks;
  return marks.startsWith(open) && (match[2] ?? "").trim() === "" ? null : open;
}

/** In cells of a fixed-width font, near enough: East Asian characters and emoji take two. */
function width(text: string): number {
  return [...text].reduce((sum, char) => sum + (WIDE.test(char) ? 2 : 1), 0);
}

const WIDE =
  /[\u1100-\u115F\u2E80-\uA4CF\uAC00-\uD7A3\uF900-\uFAFF\uFE30-\uFE6F\uFF00-\uFF60\uFFE0-\uFFE6]|\p{Extended_Pictographic}/u;

function pad(text: string, cells: number, align: Align): string {
  const room = Math.max(0, cells - width(text));
  if (align === "right") return " ".repeat(room) + text;
  if (align === "left") return text + " ".repeat(room);
  return " ".repeat(Math.floor(room / 2)) + text + " ".repeat(Math.ceil(room / 2));
}
