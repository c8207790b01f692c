import type { Style } from "./style.ts";
import { fitWidth, textWidth, wrapLine } from "./text-width.ts";

const FENCE = /^ {0,3}(?:`{3,}|~{3,})/;
const HEADING = /^ {0,3}#{1,6}\s+(.*?)\s*#*$/;
const LIST_ITEM = /^(\s*)([-*+]|\d+[.)])\s+(.*)$/;
const TABLE_ROW = /^\s*\|.*\|\s*$/;
const TABLE_RULE = /^\s*\|(?:\s*:?-+:?\s*\|)+\s*$/;

/** Markdown as a terminal can show it: wrapped to `cells`, tables aligned, code as it is. One string a line. */
export function renderMarkdown(markdown: string, style: Style, cells: number): string[] {
  const lines: string[] = [];
  const source = withoutControls(markdown).split("\n");
  let inCode = false;
  for (let index = 0; index < source.length; index++) {
    const line = source[index] ?? "";
    if (FENCE.test(line)) {
      inCode = !inCode;
    } else if (inCode) {
      lines.push(style.code(`  ${line}`));
    } else if (TABLE_ROW.test(line)) {
      const end = endOfTable(source, index);
      lines.push(...renderTable(source.slice(index, end), style, cells));
      index = end - 1;
    } else {
      lines.push(...renderLine(line, style, cells));
    }
  }
  return lines;
}

/** What a model wrote must not move the cursor or change the terminal. */
export function withoutControls(text: string): string {
  return text.replaceAll("\t", "    ").replaceAll(/[^\P{Cc}\n]/gu, "");
}

function renderLine(line: string, style: Style, cells: number): string[] {
  const heading = HEADING.exec(line)?.[1];
  if (heading !== undefined) return wrapLine(style.bold(heading.replaceAll(/[*_`]/g, "")), cells, "");
  const item = LIST_ITEM.exec(line);
  if (!item) return wrapLine(inline(line, style), cells, "");
  const [, indent = "", mark = "", text = ""] = item;
  const bullet = /\d/.test(mark) ? mark : "•";
  const lead = `${indent}${bullet} `;
  return wrapLine(lead + inline(text, style), cells, " ".repeat(textWidth(lead)));
}

function inline(text: string, style: Style): string {
  return text
    .split(/(`[^`]+`)/)
    .map((part) =>
      part.startsWith("`") && part.length > 1
        ? style.code(part.slice(1, -1))
        : part
            .replaceAll(/\*\*(\S(?:.*?\S)?)\*\*/g, (_, inner: string) => style.bold(inner))
            .replaceAll(/(?<![*\w])\*(\S(?:[^*]*?\S)?)\*(?!\w)/g, "$1")
            .replaceAll(/\[([^\]]+)\]\(([^)\s]+)\)/g, (_, label: string, url: string) =>
              label === url ? url : `${label} (${url})`,
            ),
    )
    .join("");
}

function endOfTable(source: string[], start: number): number {
  let end = start;
  while (TABLE_ROW.test(source[end] ?? "")) end++;
  return end;
}

/** Columns share the width there is; cells that don't fit are cut. */
function renderTable(rows: string[], style: Style, cells: number): string[] {
  const body = rows
    .filter((row) => !TABLE_RULE.test(row))
    .map((row) =>
      row
        .trim()
        .slice(1, -1)
        .split(/(?<!\\)\|/)
        .map((cell) => inline(cell.trim(), style)),
    );
  const columns = Math.max(...body.map((row) => row.length));
  const widths = Array.from({ length: columns }, (_, column) =>
    Math.max(...body.map((row) => textWidth(row[column] ?? ""))),
  );
  const room = Math.max(8, Math.floor((cells - 2 * columns) / columns));
  const overflows = widths.reduce((sum, width) => sum + width + 2, 0) > cells;
  const limits = overflows ? widths.map((width) => Math.min(width, room)) : widths;
  return body.map((row, index) => {
    const line = limits
      .map((limit, column) => {
        const cell = fitWidth(row[column] ?? "", limit);
        return cell + " ".repeat(limit - textWidth(cell));
      })
      .join("  ")
      .trimEnd();
    return index === 0 && rows.some((row) => TABLE_RULE.test(row)) ? style.bold(line) : line;
  });
}
