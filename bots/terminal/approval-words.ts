import type { ApprovalCard, ApprovalState, WordsMessage } from "../shared/chat-surface.ts";

/** Pure: an approval as a terminal tells it. There are no buttons, so it says what to write. */
export function approvalWords(card: ApprovalCard): WordsMessage {
  if (card.state.type !== "open") {
    return { type: "notice", level: "info", markdown: `${outcomeWords(card.state)} ${card.summary}` };
  }
  return {
    type: "notice",
    level: "warning",
    markdown: `The agent asks to run this:\n\n${fenced(card.detail)}\n\nWrite \`approve\`, or \`deny\` and why.`,
  };
}

function outcomeWords(state: Exclude<ApprovalState, { type: "open" }>): string {
  switch (state.type) {
    case "decided": {
      const reason = state.reason === null ? "" : ` (${state.reason})`;
      return `${state.decision === "allow" ? "Approved" : "Denied"} by ${state.by}${reason}:`;
    }
    case "expired":
      return "Not approved in time:";
    case "moot":
      return "No longer asked:";
  }
}

/** A fence longer than any in the text, which may be Markdown itself. */
function fenced(text: string): string {
  const longest = Math.max(2, ...[...text.matchAll(/`+/g)].map(([marks]) => marks.length));
  const fence = "`".repeat(longest + 1);
  return `${fence}\n${text}\n${fence}`;
}
