import type { WordsMessage } from "../../shared/chat-surface.ts";
import { splitTables } from "../../shared/markdown-tables.ts";
import { teamsMarkdown } from "../markdown.ts";
import type { OutboundActivity } from "../teams-connector.ts";
import { activityBytes, ACTIVITY_BYTES_MAX, cut, fits, printable } from "./activity-size.ts";
import { type Citation, citationClaim, takeCitations } from "./citations.ts";
import { tableCard } from "./table-card.ts";

/** As long as a message fits whatever is in it, and no longer than people read in a chat. */
export const MARKDOWN_CHARS_MAX = 8_000;

const EMPTY = "(no text)";
const ICONS = { info: "ℹ️", warning: "⚠️", error: "❌" } as const;

/**
 * Pure: an answer or a notice. What the model wrote is labelled so; an answer that is to be rated has Teams' own buttons for
 * that. A table at the end of a text is drawn by Teams, any other one is code.
 */
export function answerActivity(message: WordsMessage): OutboundActivity {
  if (message.type === "notice") {
    return { type: "message", textFormat: "markdown", text: textThatFits(noticeMarkdown(message)) };
  }
  const { markdown, citations } = takeCitations(printable(message.markdown));
  const rest: OutboundActivity = {
    type: "message",
    textFormat: "markdown",
    entities: [aiLabel(citations)],
    ...(message.answerId !== null && { channelData: { feedbackLoop: { type: "default" } } }),
  };
  const withCard = endingInTable(markdown, rest);
  return withCard ?? { ...rest, text: textThatFits(markdown, activityBytes(rest)) };
}

/** Pure: an answer while it is written, as its message will begin. */
export function answerSoFar(markdown: string): string {
  const before = splitTables(printable(markdown));
  const table = before.findIndex(({ type }) => type === "table");
  const prose = table < 0 ? before : before.slice(0, table);
  return teamsMarkdown(prose.map((segment) => (segment.type === "prose" ? segment.markdown : "")).join("\n\n"));
}

function endingInTable(markdown: string, rest: OutboundActivity): OutboundActivity | null {
  const segments = splitTables(markdown);
  const last = segments.at(-1);
  const card = last?.type === "table" ? tableCard(last) : null;
  if (!card || !last) return null;
  const before = segments.slice(0, -1).map((each) => (each.type === "table" ? each.source : each.markdown));
  const text = teamsMarkdown(before.join("\n\n"));
  const activity = { ...rest, ...(text !== "" && { text }), attachments: [card] };
  return fits(activity) ? activity : null;
}

function aiLabel(citations: readonly Citation[]): Record<string, unknown> {
  return {
    type: "https://schema.org/Message",
    "@type": "Message",
    "@context": "https://schema.org",
    "@id": "",
    additionalType: ["AIGeneratedContent"],
    ...(citations.length > 0 && { citation: citations.map((citation) => citationClaim(citation)) }),
  };
}

function noticeMarkdown({ level, markdown }: Extract<WordsMessage, { type: "notice" }>): string {
  const begins = /^(?:[\p{L}\p{N}"'`([]|\*\*\S)/u.test(markdown) && !/^(?:`{3}|\d+[.)]\s)/.test(markdown);
  return `${ICONS[level]}${begins ? " " : "\n\n"}${printable(markdown)}`;
}

/** Spelling things out makes a text longer; what would be too long then stays as it was written, or is cut. */
function textThatFits(markdown: string, takenBytes = 1_000): string {
  const room = ACTIVITY_BYTES_MAX - takenBytes;
  const bytes = (text: string) => 2 * JSON.stringify(text).length;
  const spelled = teamsMarkdown(markdown).trim();
  if (spelled === "") return EMPTY;
  if (bytes(spelled) <= room) return spelled;
  let text = markdown;
  while (bytes(text) > room) text = cut(text, Math.floor(text.length * 0.9));
  return text;
}
