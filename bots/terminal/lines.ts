import path from "node:path";
import type { StatusCard, StatusStep, WordsMessage } from "../shared/chat-surface.ts";
import { compactNumber, formatBytes, formatCents, formatDuration } from "../shared/render.ts";
import { renderMarkdown, withoutControls } from "./markdown.ts";
import type { SavedFile } from "./save-file.ts";
import type { Style } from "./style.ts";
import { fitWidth, textWidth } from "./text-width.ts";

/** How wide and how a view draws. */
export interface Layout {
  style: Style;
  cells: number;
}

const STEPS_SHOWN_MAX = 6;
const DRAFT_LINES_MAX = 3;
const SPINNER = ["⠋", "⠙", "⠹", "⠸", "⠼", "⠴", "⠦", "⠧", "⠇", "⠏"];
const SPINNER_FRAME_MS = 120;
const NOTICE_MARKS = { info: "·", warning: "!", error: "✗" };

export function messageLines(message: WordsMessage, { style, cells }: Layout): string[] {
  if (message.type === "text") return ["", ...renderMarkdown(message.markdown, style, cells)];
  const paint = { info: style.dim, warning: style.warning, error: style.bad }[message.level];
  return renderMarkdown(message.markdown, style, cells - 2).map((line, index) =>
    index === 0 ? `${paint(NOTICE_MARKS[message.level])} ${line}` : `  ${line}`,
  );
}

/** A turn while it runs: what is being done, and what was done before. `now` is in ms since the epoch. */
export function runningLines(card: StatusCard, now: number, { style, cells }: Layout): string[] {
  const frame = SPINNER[Math.floor(now / SPINNER_FRAME_MS) % SPINNER.length] ?? "";
  const current = card.steps.at(-1);
  const earlier = card.steps.slice(0, -1);
  const shown = earlier.slice(-STEPS_SHOWN_MAX);
  const lines: string[] = [];
  if (shown.length < earlier.length) lines.push(style.dim(`  … ${earlier.length - shown.length} earlier steps`));
  lines.push(...shown.map((step) => `${style.good("✓")} ${style.dim(withoutControls(step.label))}`));
  lines.push(
    headLine(`${style.accent(frame)} ${withoutControls(current?.label ?? "Thinking")}`, card, now, { style, cells }),
  );
  if (card.note !== null) lines.push(style.warning(`  ${card.note}`));
  if (card.draft !== null) lines.push(...draftLines(card.draft, { style, cells }));
  else if (current?.detail) lines.push(style.dim(`  ${withoutControls(current.detail)}`));
  return lines.map((line) => fitWidth(line, cells));
}

/** A turn that has ended, on one line. */
export function endedLine(card: StatusCard, { style }: Layout): string {
  const facts = [
    `${card.steps.length} step${card.steps.length === 1 ? "" : "s"}`,
    `${compactNumber(card.tokens)} tokens`,
  ];
  if (card.steps.length === 0) facts.shift();
  if (card.costCents !== null) facts.push(formatCents(card.costCents));
  const took = formatDuration((card.endedAt ?? card.startedAt) - card.startedAt);
  const words = { working: "Ended", waiting: "Waiting for you", done: "Done", stopped: "Stopped", failed: "Failed" };
  const marks = {
    working: "·",
    waiting: style.warning("?"),
    done: style.good("✓"),
    stopped: style.warning("■"),
    failed: style.bad("✗"),
  };
  return `${marks[card.state]} ${words[card.state]} ${style.dim(`in ${took} · ${facts.join(" · ")}`)}`;
}

/** A step as it is told once, where nothing can be redrawn. */
export function stepLine(step: StatusStep): string {
  return `› ${withoutControls(step.label)}`;
}

export function fileLines(files: SavedFile[], folder: string, cwd: string, { style }: Layout): string[] {
  const width = Math.max(...files.map((file) => textWidth(file.name)));
  const lines = files.map(
    (file) =>
      `${style.good("↓")} ${style.bold(file.name)}${" ".repeat(width - textWidth(file.name))}  ${style.dim(formatBytes(file.bytes))}`,
  );
  const where = path.relative(cwd, folder);
  return [...lines, style.dim(`  saved in ${where === "" ? "this folder" : where.startsWith("..") ? folder : where}`)];
}

export function saidLines(text: string, attachments: string[], { style, cells }: Layout): string[] {
  const lines = renderMarkdown(text, style, cells - 2).map((line, index) =>
    index === 0 ? `${style.accent("›")} ${line}` : `  ${line}`,
  );
  return [...lines, ...attachments.map((file) => style.dim(`  + ${path.basename(file)}`))];
}

function headLine(head: string, card: StatusCard, now: number, { style, cells }: Layout): string {
  const facts = [formatDuration(now - card.startedAt)];
  if (card.tokens > 0) facts.push(`${compactNumber(card.tokens)} tokens`);
  const tail = facts.join(" · ");
  return `${fitWidth(head, cells - textWidth(tail) - 3)}  ${style.dim(tail)}`;
}

/** The end of what is being written: that is where it goes on. */
function draftLines(draft: string, { style, cells }: Layout): string[] {
  const lines = renderMarkdown(draft, style, cells - 4).filter((line) => line.trim() !== "");
  return lines.slice(-DRAFT_LINES_MAX).map((line) => `  ${style.dim("│")} ${line}`);
}
