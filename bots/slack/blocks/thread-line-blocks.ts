import type { AnyBlock, Button } from "@slack/types";
import { parseChatThreadKey } from "../../shared/chat-thread.ts";
import type { ThreadLine } from "../../shared/thread-line.ts";
import { escapeMrkdwn } from "../mrkdwn.ts";
import { cut } from "./rendering.ts";

const TITLE_CHARS_MAX = 150;

const STATES: Record<ThreadLine["state"], string> = {
  working: ":hourglass_flowing_sand: working",
  waiting: ":raised_hand: waiting for you",
  done: ":white_check_mark: done",
  stopped: ":octagonal_sign: stopped",
  failed: ":x: failed",
};

/** Pure: a thread in a list: what it is about, with a link, and below it how it stands, where, since when. */
export function threadLineBlock(line: ThreadLine, button: Button | null): AnyBlock {
  const text = `${threadTitle(line)}\n${threadFacts(line).join(" · ")}`;
  return { type: "section", text: { type: "mrkdwn", text }, ...(button && { accessory: button }) };
}

function threadTitle({ title, link }: ThreadLine): string {
  const words = cut(escapeMrkdwn(title.replaceAll(/\s+/g, " ").trim()), TITLE_CHARS_MAX).replaceAll("|", "¦");
  return link === null ? `*${words}*` : `*<${link}|${words}>*`;
}

function threadFacts({ state, thread, requester, activeAt }: ThreadLine): string[] {
  const place = parseChatThreadKey(thread);
  const where = place.surface === "slack" && !place.channel.startsWith("D") ? [`<#${place.channel}>`] : [];
  const seconds = Math.floor(activeAt / 1000);
  // Slack writes the date in the reader's time zone.
  const when = `<!date^${seconds}^{date_short_pretty} {time}|${new Date(activeAt).toISOString()}>`;
  return [STATES[state], ...where, ...(requester === null ? [] : [`<@${requester}>`]), when];
}
