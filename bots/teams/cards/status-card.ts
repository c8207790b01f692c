import type { StatusCard, StatusState, StatusStep } from "../../shared/chat-surface.ts";
import type { ChatThreadKey } from "../../shared/chat-thread.ts";
import { compactNumber, formatCents, formatDuration } from "../../shared/render.ts";
import type { OutboundActivity } from "../teams-connector.ts";
import { oneLine } from "./activity-size.ts";
import { adaptiveCard, type CardPart, literalBlock, stopAction, textBlock } from "./adaptive-card.ts";

const STEPS_SHOWN_MAX = 8;
const LABEL_CHARS_MAX = 150;
const DETAIL_CHARS_MAX = 200;
const NOTE_CHARS_MAX = 500;

const TITLES: Record<StatusState, string> = {
  working: "⏳ Working",
  waiting: "✋ Waiting for you",
  done: "✅ Done",
  stopped: "🛑 Stopped",
  failed: "❌ Failed",
};
const STEP_ICONS: Record<StatusStep["state"], string> = { running: "▸", done: "✓", stopped: "–" };

/** Pure: one turn at a glance, with a Stop button while it runs. */
export function statusActivity(card: StatusCard, thread: ChatThreadKey, now: number): OutboundActivity {
  const shown = card.steps.slice(-STEPS_SHOWN_MAX);
  const earlier = card.steps.length - shown.length;
  const body: CardPart[] = [
    textBlock(TITLES[card.state], { weight: "bolder" }),
    ...(earlier > 0 ? [small(`${earlier} earlier steps`)] : []),
    ...shown.flatMap((step) => stepBlocks(step)),
    ...noteBlocks(card.note),
    small(facts(card, now).join("  ·  ")),
  ];
  const stops = card.state === "working" || card.state === "waiting";
  return {
    type: "message",
    summary: summaryOf(card),
    attachments: [adaptiveCard(body, stops ? [stopAction(thread)] : [])],
  };
}

/** Pure: what it is doing, in one line, for where there is no room for more. */
export function statusLine(card: StatusCard): string {
  const label = oneLine(card.steps.at(-1)?.label ?? "", LABEL_CHARS_MAX);
  return label === "" ? "Working…" : label;
}

function summaryOf(card: StatusCard): string {
  const title = TITLES[card.state];
  return card.endedAt === null && card.steps.length > 0 ? `${title}: ${statusLine(card)}` : title;
}

function stepBlocks({ label, state, detail, toolCount }: StatusStep): CardPart[] {
  const words = oneLine(label, LABEL_CHARS_MAX) || "…";
  const title = literalBlock([{ text: `${STEP_ICONS[state]} ${words}` }], { spacing: "small" });
  if (state !== "running" || detail === null) return [title];
  const text = oneLine(toolCount > 1 ? `${detail} (${toolCount} calls)` : detail, DETAIL_CHARS_MAX);
  const code = { text: text === "" ? "…" : text, fontType: "monospace", size: "small", isSubtle: true };
  return [title, literalBlock([code], { spacing: "none" })];
}

function noteBlocks(note: string | null): CardPart[] {
  const words = oneLine(note ?? "", NOTE_CHARS_MAX);
  return words === "" ? [] : [literalBlock([{ text: `ℹ️ ${words}` }], { spacing: "small" })];
}

function facts(card: StatusCard, now: number): string[] {
  return [
    formatDuration((card.endedAt ?? now) - card.startedAt),
    ...(card.tokens > 0 ? [`${compactNumber(card.tokens)} tokens`] : []),
    ...(card.costCents === null ? [] : [formatCents(card.costCents)]),
  ];
}

function small(text: string): CardPart {
  return textBlock(text, { size: "small", isSubtle: true, spacing: "small" });
}
