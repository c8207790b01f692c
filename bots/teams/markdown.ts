import { alignedTable, fenceAfter, type MarkdownSegment, splitTables } from "../shared/markdown-tables.ts";

/**
 * Pure: Markdown as Teams shows it in a message. Teams has no tables in the text of a message, so they become code with its
 * columns lined up; and it takes what looks like a tag for one, so those are spelled out.
 */
export function teamsMarkdown(markdown: string): string {
  return splitTables(markdown)
    .map((segment) => (segment.type === "prose" ? escapeTags(segment.markdown) : tableAsCode(segment)))
    .join("\n\n");
}

const TABLE_CHARS_MAX = 6_000;

function tableAsCode(table: Extract<MarkdownSegment, { type: "table" }>): string {
  const text = alignedTable(table, TABLE_CHARS_MAX) ?? table.source;
  const longest = Math.max(2, ...[...text.matchAll(/`+/g)].map((run) => run[0].length));
  const marks = "`".repeat(longest + 1);
  return `${marks}\n${text}\n${marks}`;
}

function escapeTags(markdown: string): string {
  let fence: string | null = null;
  return markdown
    .split("\n")
    .map((line) => {
      const before = fence;
      fence = fenceAfter(fence, line);
      return before === null && fence === null ? escapeLine(line) : line;
    })
    .join("\n");
}

/** Code between backticks is left alone, and so are addresses such as `<https://…>`. */
function escapeLine(line: string): string {
  return line
    .split(/(`[^`]+`)/)
    .map((part, index) => (index % 2 === 1 ? part : part.replaceAll(/<(?=[a-z/!?])(?!https?:\/\/)/gi, "&lt;")))
    .join("");
}
