import type { ChatMessage } from "../../shared/chat-surface.ts";
import type { OutboundActivity } from "../teams-connector.ts";
import { answerActivity } from "./answer-activity.ts";
import { approvalActivity, type ApprovalDrawing } from "./approval-card.ts";
import { statusActivity } from "./status-card.ts";

export interface MessageDrawing extends ApprovalDrawing {
  /** In ms since the epoch. */
  now: number;
}

/** Pure: any message as Teams is given it; always within `ACTIVITY_BYTES_MAX`. */
export function messageActivity(message: ChatMessage, drawing: MessageDrawing): OutboundActivity {
  switch (message.type) {
    case "text":
    case "notice":
      return answerActivity(message);
    case "status":
      return statusActivity(message.card, drawing.thread, drawing.now);
    case "approval":
      return approvalActivity(message.card, drawing);
  }
}
