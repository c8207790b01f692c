import type { Block } from "./blocks.ts";

const MARKDOWN_CHARS_MAX = 12_000;
const TABLE_CHARS_MAX = 10_000;
const DATA_TABLE_CHARS_MAX = 20_000;
/** Undocumented: seen at 13,172 to 13,297 characters. */
const BLOCKS_CHARS_MAX = 13_000;

export interface BlockProblem {
  code: "invalid_blocks" | "msg_blocks_too_long";
  problem: string;
}

/** What is wrong with blocks that are good each by itself; null when nothing is. */
export function blocksProblem(blocks: readonly Block[]): BlockProblem | null {
  const problem =
    contentsProblem(blocks) ??
    repeated(
      "block_id",
      blocks.flatMap(({ block_id }) => block_id ?? []),
    ) ??
    repeated("action_id", blocks.flatMap(actionIds)) ??
    tablesProblem(blocks);
  if (problem) return { code: "invalid_blocks", problem };
  const markdown = blocks.reduce((sum, block) => sum + (block.type === "markdown" ? block.text.length : 0), 0);
  if (markdown > MARKDOWN_CHARS_MAX)
    return { code: "msg_blocks_too_long", problem: `markdown blocks of ${markdown} characters in all` };
  const chars = blocks.reduce((sum, block) => sum + textLength(block), 0);
  if (chars > BLOCKS_CHARS_MAX) return { code: "msg_blocks_too_long", problem: `blocks with ${chars} characters` };
  return null;
}

function contentsProblem(blocks: readonly Block[]): string | null {
  for (const [index, block] of blocks.entries()) {
    if (block.type === "section" && !block.text && !block.fields) return `/blocks/${index}: a section without text`;
    if (block.type === "image" && !block.image_url && !block.slack_file) return `/blocks/${index}: an image of nothing`;
  }
  return null;
}

function tablesProblem(blocks: readonly Block[]): string | null {
  const tables = blocks.filter((block) => block.type === "table");
  if (tables.length > 1) return "only one table allowed in a message";
  for (const block of blocks) {
    if (block.type !== "table" && block.type !== "data_table") continue;
    const max = block.type === "table" ? TABLE_CHARS_MAX : DATA_TABLE_CHARS_MAX;
    if (textLength(block) > max) return `a ${block.type} of more than ${max} characters`;
    if (new Set(block.rows.map((row) => row.length)).size > 1) return `a ${block.type} whose rows differ in length`;
  }
  return null;
}

function actionIds(block: Block): string[] {
  if (block.type === "actions" || block.type === "context_actions") return block.elements.map((each) => each.action_id);
  if (block.type === "section" && block.accessory && "action_id" in block.accessory) return [block.accessory.action_id];
  return [];
}

function repeated(what: string, values: readonly string[]): string | null {
  const twice = values.find((value, index) => values.indexOf(value) !== index);
  return twice === undefined ? null : `${what} ${JSON.stringify(twice)} is there twice`;
}

/** Every text, values of buttons included, as long as it is. */
function textLength(value: unknown): number {
  if (Array.isArray(value)) return value.reduce<number>((sum, each) => sum + textLength(each), 0);
  if (typeof value !== "object" || value === null) return 0;
  return Object.entries(value).reduce(
    (sum, [key, each]) =>
      sum + (typeof each === "string" && (key === "text" || key === "value") ? each.length : textLength(each)),
    0,
  );
}
