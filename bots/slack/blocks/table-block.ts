import type { RawTextElement, RichTextBlock, RichTextText, RichTextLink, TableBlock } from "@slack/types";
import { inlineText, type MarkdownTable } from "../../shared/markdown-tables.ts";

const ROWS_MAX = 100;
const COLUMNS_MAX = 20;
const CHARS_MAX = 10_000;
const MARKED = /[*_`~[\]\\<]/;

/** Pure: a Markdown table as Slack's own; null when it is larger than Slack takes. */
export function tableBlock(table: MarkdownTable): TableBlock | null {
  const { rows, align } = table;
  if (rows.length > ROWS_MAX || align.length > COLUMNS_MAX || table.source.length > CHARS_MAX) return null;
  return {
    type: "table",
    column_settings: align.map((side) => ({ align: side, is_wrapped: true })),
    rows: rows.map((row, index) => row.map((cell) => cellOf(cell, index === 0))),
  };
}

function cellOf(markdown: string, header: boolean): RawTextElement | RichTextBlock {
  if (markdown.trim() === "") return { type: "raw_text", text: " " };
  if (!header && !MARKED.test(markdown)) return { type: "raw_text", text: markdown };
  const elements = inlineElements(markdown, header);
  if (elements.length === 0) return { type: "raw_text", text: " " };
  return { type: "rich_text", elements: [{ type: "rich_text_section", elements }] };
}

const INLINE =
  /`([^`]+)`|\[([^\]]+)\]\((https?:\/\/[^)\s]+)[^)]*\)|\*\*(\S(?:.*?\S)?)\*\*|~~(\S(?:.*?\S)?)~~|(?<![*\w])\*(\S(?:[^*]*?\S)?)\*(?![*\w])/g;

/** Marks within marks are dropped: a cell is short. */
function inlineElements(markdown: string, bold: boolean): (RichTextText | RichTextLink)[] {
  const elements: (RichTextText | RichTextLink)[] = [];
  const add = (text: string, style: RichTextText["style"] = {}) => {
    const whole = { ...style, ...(bold && { bold: true }) };
    if (text !== "") elements.push({ type: "text", text, ...(Object.keys(whole).length > 0 && { style: whole }) });
  };
  let from = 0;
  for (const match of markdown.matchAll(INLINE)) {
    const [whole, code, label, url, strong, struck, emphasis] = match;
    add(inlineText(markdown.slice(from, match.index)));
    if (code !== undefined) add(code, { code: true });
    else if (label !== undefined && url !== undefined) elements.push({ type: "link", url, text: inlineText(label) });
    else if (strong !== undefined) add(inlineText(strong), { bold: true });
    else if (struck !== undefined) add(inlineText(struck), { strike: true });
    else if (emphasis !== undefined) add(inlineText(emphasis), { italic: true });
    from = match.index + whole.length;
  }
  add(inlineText(markdown.slice(from)));
  return elements;
}
