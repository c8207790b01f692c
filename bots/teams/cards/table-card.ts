import { inlineText, type MarkdownTable } from "../../shared/markdown-tables.ts";
import { adaptiveCard, type CardPart, type TeamsAttachment } from "./adaptive-card.ts";

const ROWS_MAX = 40;
const COLUMNS_MAX = 8;
const CHARS_MAX = 4_000;
const CELL_CHARS_MAX = 300;

/** Pure: a Markdown table as one that Teams draws; null when it is larger than reads well in a chat. */
export function tableCard({ rows, align, source }: MarkdownTable): TeamsAttachment | null {
  const tooWide = rows.some((row) => row.some((cell) => cell.length > CELL_CHARS_MAX));
  if (rows.length > ROWS_MAX || align.length > COLUMNS_MAX || source.length > CHARS_MAX || tooWide) return null;
  const table: CardPart = {
    type: "Table",
    firstRowAsHeaders: true,
    gridStyle: "default",
    columns: align.map((side) => ({ width: 1, horizontalCellContentAlignment: side })),
    rows: rows.map((row, index) => ({
      type: "TableRow",
      cells: row.map((cell) => ({ type: "TableCell", items: [cellText(cell, index === 0)] })),
    })),
  };
  return wide(adaptiveCard([table]));
}

function cellText(markdown: string, header: boolean): CardPart {
  const text = inlineText(markdown).trim();
  const run = { type: "TextRun", text: text === "" ? " " : text, ...(header && { weight: "bolder" }) };
  return { type: "RichTextBlock", inlines: [run] };
}

/** Teams gives a card half of the column otherwise. */
function wide(card: TeamsAttachment): TeamsAttachment {
  return { ...card, content: Object.assign({}, card.content, { msteams: { width: "Full" } }) };
}
