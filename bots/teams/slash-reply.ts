import type { SlashReply } from "../shared/slash.ts";
import type { ThreadAction } from "../shared/thread-action.ts";
import { threadName, type ThreadLine } from "../shared/thread-line.ts";
import { adaptiveCard, type CardPart, executeAction, textBlock } from "./cards/adaptive-card.ts";
import type { OutboundActivity } from "./teams-connector.ts";

const LABELS: Record<ThreadAction, string> = { stop: "Stop", steer: "Tell this one", new: "Start over" };
const STATES: Record<ThreadLine["state"], string> = {
  working: "is being worked on",
  waiting: "waits for an approval",
  done: "is done",
  stopped: "was stopped",
  failed: "failed",
};

/** Pure: the answer to a command that stands beside any thread. */
export function slashActivity(reply: SlashReply): OutboundActivity {
  switch (reply.type) {
    case "notice":
      return { type: "message", text: reply.markdown, textFormat: "markdown" };
    case "list": {
      const sections = reply.sections.map(({ title, threads }) => `**${title}**\n\n${threads.map(line).join("\n")}`);
      return { type: "message", text: sections.join("\n\n"), textFormat: "markdown" };
    }
    case "pick": {
      const { action, text, markdown, threads } = reply;
      const body = [textBlock(markdown), ...threads.map((thread) => pickRow(action, text, thread))];
      return { type: "message", summary: markdown, attachments: [adaptiveCard(body)] };
    }
  }
}

function line(thread: ThreadLine): string {
  return `- ${named(thread)}`;
}

function named(thread: ThreadLine): string {
  return `${threadName(thread)} ${STATES[thread.state]}`;
}

function pickRow(action: ThreadAction, text: string | null, thread: ThreadLine): CardPart {
  const choose = executeAction(LABELS[action], "default", { type: "pick", thread: thread.thread, action, text });
  return {
    type: "ColumnSet",
    columns: [
      { type: "Column", width: "stretch", items: [textBlock(named(thread))] },
      { type: "Column", width: "auto", items: [{ type: "ActionSet", actions: [choose] }] },
    ],
  };
}
