import type { AnyBlock, Button } from "@slack/types";
import type { ApprovalCard, ApprovalState } from "../../shared/chat-surface.ts";
import { visible } from "../../shared/visible.ts";
import { ACTION_IDS } from "../action-ids.ts";
import { escapeMrkdwn } from "../mrkdwn.ts";
import { BLOCKS_CHARS_MAX, blockChars, cut, SECTION_CHARS_MAX, TEXT_CHARS_MAX, type Rendering } from "./rendering.ts";

/**
 * Pure: asks whether a tool call may run, or says what became of the question. What will run is shown word for word, as
 * literal text that no mark in it can end; what does not fit is counted, and approving it then asks once more.
 */
export function approvalRenderings(card: ApprovalCard): Rendering[] {
  const head = section(`${title(card)}\n${escapeMrkdwn(cut(visible(card.summary), SUMMARY_CHARS_MAX))}`);
  const tail = (hidden: number) => [...hiddenBlocks(hidden), context(stateText(card)), ...buttons(card, hidden)];
  const detail = visible(card.detail);
  const room = BLOCKS_CHARS_MAX - blockChars([head, ...tail(detail.length)]) - FRAME_CHARS;
  const shown = shownPart(detail, room);
  const text = cut(`${title(card)} ${escapeMrkdwn(visible(card.summary))}`, TEXT_CHARS_MAX);
  const around = (parts: AnyBlock[]) => [head, ...parts, ...tail(detail.length - shown.length)];
  if (shown.trim() === "") return [{ text, blocks: around([]) }];
  return [
    { text, blocks: around([preformatted(shown)]) },
    { text, blocks: around(plainSections(shown)) },
  ];
}

/** What a rendering of the detail takes beside the detail. */
const FRAME_CHARS = 800;
const SUMMARY_CHARS_MAX = 600;
const REASON_CHARS_MAX = 500;

function title({ toolName, state }: ApprovalCard): string {
  const tool = `\`${escapeMrkdwn(visible(toolName).replaceAll("`", "'"))}\``;
  switch (state.type) {
    case "open":
      return `:raised_hand: *May I run* ${tool}*?*`;
    case "decided":
      return state.decision === "allow"
        ? `:white_check_mark: *Approved:* ${tool}`
        : `:no_entry_sign: *Denied:* ${tool}`;
    case "expired":
      return `:hourglass: *Nobody decided in time:* ${tool}`;
    case "moot":
      return `:heavy_minus_sign: *No longer needed:* ${tool}`;
  }
}

function stateText(card: ApprovalCard): string {
  const { state } = card;
  switch (state.type) {
    case "open":
      return `${deciders(card)} can decide${state.expiresAt === null ? "" : `, until ${date(state.expiresAt)}`}.`;
    case "decided":
      return `By ${plain(state.by)}, ${date(state.at)}${reason(state)}`;
    case "expired":
      return `Expired ${date(state.at)}. It did not run.`;
    case "moot":
      return "The session moved on before anybody decided here.";
  }
}

function reason(state: Extract<ApprovalState, { type: "decided" }>): string {
  return state.reason
    ? `\n> ${escapeMrkdwn(cut(visible(state.reason).replaceAll(/\s+/g, " "), REASON_CHARS_MAX))}`
    : "";
}

const DECIDERS_SHOWN_MAX = 20;

function deciders({ approvers, requester }: ApprovalCard): string {
  if (approvers.length === 0) return requester === null ? "Whoever asked" : mention(requester);
  const names = approvers.slice(0, DECIDERS_SHOWN_MAX).map((id) => mention(id));
  const more = approvers.length - names.length;
  return more > 0 ? `${names.join(", ")} and ${more} more` : names.join(", ");
}

function mention(who: string): string {
  if (/^[UW][A-Z0-9]{2,}$/.test(who)) return `<@${who}>`;
  if (/^S[A-Z0-9]{6,}$/.test(who)) return `<!subteam^${who}>`;
  return plain(who);
}

/** A name, which people choose themselves: one that looks like somebody's id is still a name. */
function plain(name: string): string {
  return escapeMrkdwn(cut(visible(name), 100));
}

/** In the reader's time zone. */
function date(atMs: number): string {
  const fallback = new Date(atMs).toISOString().slice(0, 16).replace("T", " ");
  return `<!date^${Math.floor(atMs / 1000)}^{date_short_pretty} {time}|${fallback} UTC>`;
}

function hiddenBlocks(hidden: number): AnyBlock[] {
  if (hidden === 0) return [];
  return [section(`:warning: *${hidden} more characters are not shown here.* Approve only if you know what they are.`)];
}

function buttons(card: ApprovalCard, hidden: number): AnyBlock[] {
  if (card.state.type !== "open") return [];
  const approve: Button = {
    type: "button",
    action_id: ACTION_IDS.approve,
    style: "primary",
    text: { type: "plain_text", text: "Approve" },
    value: card.toolUseId,
    ...(hidden > 0 && { confirm: confirmation(hidden) }),
  };
  const deny: Button = {
    type: "button",
    action_id: ACTION_IDS.deny,
    style: "danger",
    text: { type: "plain_text", text: "Deny…" },
    value: card.toolUseId,
  };
  return [{ type: "actions", elements: [approve, deny] }];
}

function confirmation(hidden: number): NonNullable<Button["confirm"]> {
  return {
    title: { type: "plain_text", text: "Not all of it is shown" },
    text: { type: "plain_text", text: `${hidden} characters of what will run can't be seen here. Approve anyway?` },
    confirm: { type: "plain_text", text: "Approve" },
    deny: { type: "plain_text", text: "Go back" },
    style: "danger",
  };
}

function preformatted(text: string): AnyBlock {
  return { type: "rich_text", elements: [{ type: "rich_text_preformatted", elements: [{ type: "text", text }] }] };
}

function plainSections(text: string): AnyBlock[] {
  const count = Math.ceil(text.length / SECTION_CHARS_MAX);
  return Array.from({ length: count }, (_, index) => ({
    type: "section",
    expand: true,
    text: {
      type: "plain_text",
      text: text.slice(index * SECTION_CHARS_MAX, (index + 1) * SECTION_CHARS_MAX),
      emoji: false,
    },
  }));
}

function section(text: string): AnyBlock {
  return { type: "section", expand: true, text: { type: "mrkdwn", text } };
}

function context(text: string): AnyBlock {
  return { type: "context", elements: [{ type: "mrkdwn", text }] };
}

/** The longest beginning whose JSON has room. */
function shownPart(detail: string, room: number): string {
  let end = Math.min(detail.length, Math.max(0, room));
  while (end > 0 && JSON.stringify(detail.slice(0, end)).length > room) end = Math.floor(end * 0.95);
  return detail.slice(0, end).replace(/[\uD800-\uDBFF]$/, "");
}
