import type { AnyBlock, Button, TaskCardBlock } from "@slack/types";
import type { StatusCard, StatusState, StatusStep } from "../../shared/chat-surface.ts";
import type { ChatThreadKey } from "../../shared/chat-thread.ts";
import { compactNumber, formatDuration } from "../../shared/render.ts";
import { ACTION_IDS, encodeStop } from "../action-ids.ts";
import { escapeMrkdwn } from "../mrkdwn.ts";
import { cut, plainRendering, printable, type Rendering } from "./rendering.ts";

export interface StatusDrawing {
  thread: ChatThreadKey;
  /** In ms since the epoch. */
  now: number;
  /** Draw the steps as Slack's plan, which not every workspace takes. */
  plan: boolean;
}

/** Pure: one turn at a glance, with a Stop button while it runs. The most faithful rendering first. */
export function statusRenderings(card: StatusCard, drawing: StatusDrawing): Rendering[] {
  const text = statusText(card);
  const frame = (steps: AnyBlock[]) => ({
    text,
    blocks: [...steps, ...noteBlocks(card), contextBlock(card, drawing.now), ...stopBlocks(card, drawing.thread)],
  });
  const simple = frame([stepsSection(card)]);
  const plain = plainRendering(text, `${TITLES[card.state]}. ${facts(card, drawing.now).join(", ")}`);
  return drawing.plan && card.steps.length > 0 ? [frame([planBlock(card)]), simple, plain] : [simple, plain];
}

const STEPS_SHOWN_MAX = 8;
const LABEL_CHARS_MAX = 150;
const DETAIL_CHARS_MAX = 200;
const NOTE_CHARS_MAX = 500;

const TITLES: Record<StatusState, string> = {
  working: "Working",
  waiting: "Waiting for you",
  done: "Done",
  stopped: "Stopped",
  failed: "Failed",
};
const ICONS: Record<StatusState, string> = {
  working: ":hourglass_flowing_sand:",
  waiting: ":raised_hand:",
  done: ":white_check_mark:",
  stopped: ":octagonal_sign:",
  failed: ":x:",
};
const STEP_ICONS: Record<StatusStep["state"], string> = {
  running: ":small_blue_diamond:",
  done: ":heavy_check_mark:",
  stopped: ":heavy_minus_sign:",
};

function statusText(card: StatusCard): string {
  const current = card.steps.at(-1);
  const doing = card.endedAt === null && current ? `: ${escapeMrkdwn(line(current.label, LABEL_CHARS_MAX))}` : "";
  return `${TITLES[card.state]}${doing}`;
}

function planBlock(card: StatusCard): AnyBlock {
  const { shown, earlier } = latest(card.steps);
  const title = `${TITLES[card.state]}${earlier > 0 ? ` (${earlier} earlier steps)` : ""}`;
  return { type: "plan", title, tasks: shown.map((step, index) => taskCard(step, earlier + index, card)) };
}

function taskCard(step: StatusStep, index: number, card: StatusCard): TaskCardBlock {
  const detail = stepDetail(step);
  const failed = step.state === "stopped" && card.state === "failed";
  const status = step.state === "running" ? "in_progress" : failed ? "error" : "complete";
  return {
    type: "task_card",
    task_id: `step_${index + 1}`,
    title: line(step.label, LABEL_CHARS_MAX) || "…",
    status,
    ...(detail !== "" && {
      details: {
        type: "rich_text",
        elements: [{ type: "rich_text_section", elements: [{ type: "text", text: detail, style: { code: true } }] }],
      },
    }),
  };
}

function stepsSection(card: StatusCard): AnyBlock {
  const { shown, earlier } = latest(card.steps);
  const lines = [
    `${ICONS[card.state]} *${TITLES[card.state]}*`,
    ...(earlier > 0 ? [`_${earlier} earlier steps_`] : []),
    ...shown.map((step) => {
      const detail = step.state === "running" ? stepDetail(step) : "";
      const code = detail === "" ? "" : `\n        \`${escapeMrkdwn(detail.replaceAll("`", "'"))}\``;
      return `${STEP_ICONS[step.state]} ${escapeMrkdwn(line(step.label, LABEL_CHARS_MAX))}${code}`;
    }),
  ];
  return {
    type: "section",
    expand: true,
    text: { type: "mrkdwn", text: cut(lines.join("\n"), 3_000), verbatim: true },
  };
}

function noteBlocks(card: StatusCard): AnyBlock[] {
  if (card.note === null || card.note.trim() === "") return [];
  const note = `:information_source: ${escapeMrkdwn(line(card.note, NOTE_CHARS_MAX))}`;
  return [{ type: "context", elements: [{ type: "mrkdwn", text: note, verbatim: true }] }];
}

function contextBlock(card: StatusCard, now: number): AnyBlock {
  return { type: "context", elements: [{ type: "mrkdwn", text: facts(card, now).join("  ·  "), verbatim: true }] };
}

function facts(card: StatusCard, now: number): string[] {
  return [
    formatDuration((card.endedAt ?? now) - card.startedAt),
    ...(card.tokens > 0 ? [`${compactNumber(card.tokens)} tokens`] : []),
    ...(card.costCents === null ? [] : [cost(card.costCents)]),
  ];
}

function cost(cents: number): string {
  return cents > 0 && cents < 1 ? "less than $0.01" : `$${(cents / 100).toFixed(2)}`;
}

function stopBlocks(card: StatusCard, thread: ChatThreadKey): AnyBlock[] {
  if (card.state !== "working" && card.state !== "waiting") return [];
  const stop: Button = {
    type: "button",
    action_id: ACTION_IDS.stop,
    style: "danger",
    text: { type: "plain_text", text: "Stop" },
    value: encodeStop(thread),
  };
  return [{ type: "actions", elements: [stop] }];
}

function latest(steps: readonly StatusStep[]): { shown: StatusStep[]; earlier: number } {
  const shown = steps.slice(-STEPS_SHOWN_MAX);
  return { shown, earlier: steps.length - shown.length };
}

function stepDetail({ detail, toolCount }: StatusStep): string {
  if (detail === null) return "";
  return line(toolCount > 1 ? `${detail} (${toolCount} calls)` : detail, DETAIL_CHARS_MAX);
}

function line(text: string, charsMax: number): string {
  return cut(printable(text).replaceAll(/\s+/g, " ").trim(), charsMax);
}
