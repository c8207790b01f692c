import type { ChatThreadKey } from "../../shared/chat-thread.ts";
import type { CardAction } from "../card-actions.ts";
import { CARD_VERBS, cardActionData } from "../card-actions.ts";
import type { OutboundActivity } from "../teams-connector.ts";

export type TeamsAttachment = NonNullable<OutboundActivity["attachments"]>[number];

/** An element or action of an Adaptive Card, in Microsoft's words. */
export interface CardPart {
  type: string;
  [field: string]: unknown;
}

export const ADAPTIVE_CARD = "application/vnd.microsoft.card.adaptive";

/** Newer elements than those of this version are not shown by every client. */
const VERSION = "1.5";

/** Pure. */
export function adaptiveCard(body: readonly CardPart[], actions: readonly CardPart[] = []): TeamsAttachment {
  return {
    contentType: ADAPTIVE_CARD,
    content: {
      type: "AdaptiveCard",
      $schema: "http://adaptivecards.io/schemas/adaptive-card.json",
      version: VERSION,
      body,
      ...(actions.length > 0 && { actions }),
    },
  };
}

/** Pure: words of ours, in the card's own small Markdown. */
export function textBlock(text: string, style: Record<string, unknown> = {}): CardPart {
  return { type: "TextBlock", text, wrap: true, ...style };
}

/** Pure: words of others, in which no mark means anything. */
export function literalBlock(
  runs: readonly { text: string; [style: string]: unknown }[],
  style: Record<string, unknown> = {},
): CardPart {
  return { type: "RichTextBlock", inlines: runs.map((run) => ({ type: "TextRun", ...run })), ...style };
}

/** Pure: a button that old clients can press as well. */
export function executeAction(
  title: string,
  style: "default" | "positive" | "destructive",
  action: CardAction,
): CardPart {
  const data = cardActionData(action);
  return {
    type: "Action.Execute",
    verb: CARD_VERBS[action.type],
    title,
    style,
    data,
    fallback: { type: "Action.Submit", title, style, data },
  };
}

/** Pure: ends what runs in the thread. */
export function stopAction(thread: ChatThreadKey): CardPart {
  return executeAction("Stop", "destructive", { type: "stop", thread });
}
