import type { ChatMessage } from "../../shared/chat-surface.ts";
import { answerRenderings } from "./answer-blocks.ts";
import { approvalRenderings } from "./approval-blocks.ts";
import type { Rendering } from "./rendering.ts";
import { statusRenderings, type StatusDrawing } from "./status-blocks.ts";

/** Pure: ways to show a message, the most faithful first. Each stays within Slack's limits, and each next one asks less of Slack. */
export function renderingsOf(message: ChatMessage, drawing: StatusDrawing): [Rendering, ...Rendering[]] {
  const [first, ...rest] = all(message, drawing);
  if (!first) throw new Error(`No rendering of a ${message.type} message.`);
  return [first, ...rest];
}

function all(message: ChatMessage, drawing: StatusDrawing): Rendering[] {
  switch (message.type) {
    case "text":
    case "notice":
      return answerRenderings(message);
    case "status":
      return statusRenderings(message.card, drawing);
    case "approval":
      return approvalRenderings(message.card);
  }
}
