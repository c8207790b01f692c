import type { ApprovalCard, ApprovalState } from "../../shared/chat-surface.ts";
import type { ChatThreadKey } from "../../shared/chat-thread.ts";
import { plainWords } from "../../shared/plain-words.ts";
import { visible } from "../../shared/visible.ts";
import { DENY_REASON_INPUT } from "../card-actions.ts";
import type { OutboundActivity } from "../teams-connector.ts";
import { cut, oneLine } from "./activity-size.ts";
import { adaptiveCard, type CardPart, executeAction, literalBlock, textBlock } from "./adaptive-card.ts";

export interface ApprovalDrawing {
  thread: ChatThreadKey;
  /** Of people, by the surface's id. Whoever is missing is counted only. */
  names: ReadonlyMap<string, string>;
}

const SUMMARY_CHARS_MAX = 600;
const TOOL_CHARS_MAX = 100;
const REASON_CHARS_MAX = 500;
const NAME_CHARS_MAX = 100;
/** Of the detail as JSON; the rest of the card is small. */
const DETAIL_JSON_CHARS_MAX = 24_000;
const LINES_MAX = 150;
/** What a line takes beside its text. */
const LINE_FRAME_CHARS = 120;

/**
 * Pure: asks whether a tool call may run, or says what became of the question, then without buttons. What will run is shown
 * word for word, as literal text; what does not fit is counted.
 */
export function approvalActivity(card: ApprovalCard, drawing: ApprovalDrawing): OutboundActivity {
  const detail = visible(card.detail);
  const shown = shownPart(detail);
  const hidden = detail.length - shown.length;
  const title = titleOf(card);
  const body: CardPart[] = [
    textBlock(title, { weight: "bolder" }),
    literalBlock([{ text: cut(visible(card.summary), SUMMARY_CHARS_MAX) || "…" }]),
    ...detailBlocks(shown),
    ...hiddenBlocks(hidden),
    ...stateBlocks(card, drawing.names),
  ];
  return {
    type: "message",
    summary: title,
    attachments: [adaptiveCard(withReason(body, card), buttons(card, drawing))],
  };
}

function titleOf({ toolName, state }: ApprovalCard): string {
  const tool = cut(plainWords(visible(toolName)), TOOL_CHARS_MAX) || "a tool";
  switch (state.type) {
    case "open":
      return `✋ May I run ${tool}?`;
    case "decided":
      return state.decision === "allow" ? `✅ Approved: ${tool}` : `🚫 Denied: ${tool}`;
    case "expired":
      return `⌛ Nobody decided in time: ${tool}`;
    case "moot":
      return `➖ No longer needed: ${tool}`;
  }
}

function detailBlocks(shown: string): CardPart[] {
  if (shown.trim() === "") return [];
  const lines = shown.split("\n").map((line) =>
    literalBlock([{ text: line === "" ? " " : indented(line), fontType: "monospace", size: "small" }], {
      spacing: "none",
    }),
  );
  return [{ type: "Container", style: "emphasis", items: lines }];
}

/** Spaces at the beginning of a line would not be seen. */
function indented(line: string): string {
  return line.replace(/^[ \t]+/, (spaces) => "\u00A0".repeat(spaces.replaceAll("\t", "    ").length));
}

function hiddenBlocks(hidden: number): CardPart[] {
  if (hidden === 0) return [];
  const words = `⚠️ ${hidden} more characters are not shown here. Approve only if you know what they are.`;
  return [textBlock(words, { weight: "bolder", color: "attention" })];
}

function stateBlocks(card: ApprovalCard, names: ReadonlyMap<string, string>): CardPart[] {
  const { state } = card;
  switch (state.type) {
    case "open": {
      const until = state.expiresAt === null ? "" : `, until ${date(state.expiresAt)}`;
      return [small(`${deciders(card, names)} can decide${until}.`)];
    }
    case "decided":
      return [small(`By ${nameOf(state.by, names)}, ${date(state.at)}`), ...reasonBlocks(state)];
    case "expired":
      return [small(`Expired ${date(state.at)}. It did not run.`)];
    case "moot":
      return [small("The session moved on before anybody decided here.")];
  }
}

function reasonBlocks({ reason }: Extract<ApprovalState, { type: "decided" }>): CardPart[] {
  const words = reason === null ? "" : oneLine(visible(reason), REASON_CHARS_MAX);
  return words === "" ? [] : [literalBlock([{ text: `“${words}”`, italic: true }], { spacing: "small" })];
}

const DECIDERS_SHOWN_MAX = 10;

function deciders({ approvers, requester }: ApprovalCard, names: ReadonlyMap<string, string>): string {
  if (approvers.length === 0)
    return requester !== null && names.has(requester) ? nameOf(requester, names) : "Whoever asked";
  const known = approvers.flatMap((id) => names.get(id) ?? []).slice(0, DECIDERS_SHOWN_MAX);
  const more = approvers.length - known.length;
  const words = known.map((name) => nameOf(name, names));
  if (more === 0) return words.join(", ");
  if (words.length === 0)
    return more === 1
      ? "One person, set by the policy of this place,"
      : `${more} people, set by the policy of this place,`;
  return `${words.join(", ")} and ${more} more`;
}

function nameOf(who: string, names: ReadonlyMap<string, string>): string {
  return cut(plainWords(visible(names.get(who) ?? who)), NAME_CHARS_MAX) || "somebody";
}

/** In the reader's time zone: the client replaces it. */
function date(atMs: number): string {
  const at = new Date(atMs).toISOString().replace(/\.\d+Z$/, "Z");
  return `{{DATE(${at}, SHORT)}} {{TIME(${at})}}`;
}

function withReason(body: CardPart[], { state }: ApprovalCard): CardPart[] {
  if (state.type !== "open") return body;
  const placeholder = "Why not, if you deny it (optional)";
  return [
    ...body,
    { type: "Input.Text", id: DENY_REASON_INPUT, placeholder, isMultiline: false, maxLength: REASON_CHARS_MAX },
  ];
}

function buttons({ state, toolUseId }: ApprovalCard, { thread }: ApprovalDrawing): CardPart[] {
  if (state.type !== "open") return [];
  return [
    executeAction("Approve", "positive", { type: "approve", thread, toolUseId }),
    executeAction("Deny", "destructive", { type: "deny", thread, toolUseId, reason: null }),
  ];
}

/** The longest beginning that has room. */
function shownPart(detail: string): string {
  const lines = detail.split("\n");
  let end = lines.slice(0, LINES_MAX).join("\n").length;
  const takes = (part: string) => JSON.stringify(part).length + part.split("\n").length * LINE_FRAME_CHARS;
  while (end > 0 && takes(detail.slice(0, end)) > DETAIL_JSON_CHARS_MAX) end = Math.floor(end * 0.95);
  return detail.slice(0, end).replace(/[\uD800-\uDBFF]$/, "");
}

function small(text: string): CardPart {
  return textBlock(text, { size: "small", isSubtle: true, spacing: "small" });
}
