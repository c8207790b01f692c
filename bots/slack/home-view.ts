import type { AnyBlock, Button, HomeView } from "@slack/types";
import type { ChannelPolicy } from "../shared/channel-policy.ts";
import type { HomeData, HomeFile, HomeSession } from "../shared/home.ts";
import { compactNumber, formatBytes, formatCents } from "../shared/render.ts";
import { cut, SECTION_CHARS_MAX } from "./blocks/rendering.ts";
import { threadLineBlock } from "./blocks/thread-line-blocks.ts";
import { escapeMrkdwn } from "./mrkdwn.ts";
import { encodeStop, ACTION_IDS } from "./action-ids.ts";

export const REFRESH_ACTION = "deckhand_home_refresh";

/** Slack's limit on a view. The lists of `HomeData` are far shorter. */
const BLOCKS_MAX = 100;

/** Pure: the Home tab of one person. */
export function homeView(home: HomeData): HomeView {
  const blocks = [
    ...(home.incomplete ? [note(":warning: Some of this could not be read just now. Refresh in a moment.")] : []),
    ...sessions("Waiting for you", home.waiting, null),
    ...sessions("Running", home.running, stopButton),
    ...sessions("Done", home.done, null),
    ...files(home.files),
    ...usage(home),
    ...defaults(home),
    { type: "divider" },
    { type: "actions", elements: [REFRESH] },
  ] satisfies AnyBlock[];
  const empty = home.waiting.length + home.running.length + home.done.length === 0;
  return { type: "home", blocks: [...(empty ? WELCOME : []), ...blocks].slice(0, BLOCKS_MAX) };
}

const REFRESH: Button = { type: "button", action_id: REFRESH_ACTION, text: { type: "plain_text", text: "Refresh" } };

const WELCOME: AnyBlock[] = [
  header("Hello!"),
  section(
    "Mention me in a channel or write me a message, with files if there are any. I do the work in a sandbox of my own " +
      "and bring the result, a workbook, a deck, a document, back into that thread.",
  ),
];

function sessions(title: string, list: HomeSession[], button: ((session: HomeSession) => Button) | null): AnyBlock[] {
  if (list.length === 0) return [];
  return [
    header(title),
    ...list.flatMap((session) => [
      threadLineBlock(session, button?.(session) ?? null),
      ...(session.costCents === null ? [] : [note(`${formatCents(session.costCents)} so far`)]),
    ]),
  ];
}

/** Stops the whole turn, as its button in the thread does. */
function stopButton({ thread }: HomeSession): Button {
  return {
    type: "button",
    action_id: ACTION_IDS.stop,
    style: "danger",
    text: { type: "plain_text", text: "Stop" },
    value: encodeStop(thread),
  };
}

function files(list: HomeFile[]): AnyBlock[] {
  if (list.length === 0) return [];
  const lines = list.map(({ filename, sizeBytes, thread }) => {
    const name = escapeMrkdwn(filename).replaceAll("|", "¦");
    return `• ${thread.link === null ? name : `<${thread.link}|${name}>`} (${formatBytes(sizeBytes)})`;
  });
  return [header("Latest files"), section(lines.join("\n"))];
}

function usage({ usage: { month, costCents, tokens, sessions: count } }: HomeData): AnyBlock[] {
  const spent = `${formatCents(costCents)} · ${compactNumber(tokens)} tokens · ${count} ${count === 1 ? "session" : "sessions"}`;
  return [header("Your usage this month"), section(`${spent} (${month}, UTC)`)];
}

function defaults({ defaults: policy, agentName }: HomeData): AnyBlock[] {
  return [header("In channels without settings of their own"), section(policyLines(policy, agentName).join("\n"))];
}

function policyLines(policy: ChannelPolicy, agentName: string | null): string[] {
  const allowed = [...policy.allowUsers.map((id) => `<@${id}>`), ...policy.allowGroups.map((id) => `<!subteam^${id}>`)];
  return [
    ...(agentName === null ? [] : [`Agent: ${escapeMrkdwn(agentName)}`]),
    policy.mode === "thread" ? "Replies in my threads count without a mention." : "I listen to mentions alone.",
    `Work is given by ${allowed.length === 0 ? "everybody" : allowed.join(", ")}${policy.allowGuests ? ", guests too" : ""}.`,
    ...(policy.monthlyBudgetUsd === null ? [] : [`Each channel may cost ${policy.monthlyBudgetUsd} USD a month.`]),
  ];
}

function header(text: string): AnyBlock {
  return { type: "header", text: { type: "plain_text", text } };
}

function section(text: string): AnyBlock {
  return { type: "section", text: { type: "mrkdwn", text: cut(text, SECTION_CHARS_MAX) } };
}

function note(text: string): AnyBlock {
  return { type: "context", elements: [{ type: "mrkdwn", text }] };
}
