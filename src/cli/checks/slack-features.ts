import type { WebClient } from "@slack/web-api";
import { BOT_EVENTS, EVENTS_PATH } from "../../../bots/slack/requirements.ts";
import type { SlackConfig } from "../../slack-config.ts";
import type { ChatFinding } from "./chat-finding.ts";
import { type Answer, askSlack, questionClient } from "./slack-question.ts";

/** Like the id of a direct message, but none has it: Slack can only say whether it would do this elsewhere. */
const NO_CHANNEL = "D0000000000";
const NO_THREAD = "1000000000.000000";

/** Whether Slack has the features of agents for this app, asked in a way that nobody sees. */
export async function checkAgentFeatures(apiUrl: string, token: string): Promise<ChatFinding[]> {
  const client = questionClient(apiUrl, token);
  return await Promise.all([checkAgentSessions(client), checkStreaming(client)]);
}

/** Pure: what no token may read, and where a person sees it. */
export function eventFindings({ transport, host, port }: SlackConfig): ChatFinding[] {
  const events = BOT_EVENTS.map(({ event }) => event).join(", ");
  const subscriptions: ChatFinding = {
    state: "cannot_tell",
    subject: "Events",
    detail: `no token can read what the app is subscribed to; it has to be ${events}`,
    mend: `Compare "Event Subscriptions" in the app's settings, or paste the manifest under "App Manifest" again.`,
  };
  if (transport.type === "socket") return [subscriptions];
  return [
    subscriptions,
    { state: "ok", subject: "SLACK_SIGNING_SECRET", detail: "is set; the first event shows whether it is the app's" },
    {
      state: "cannot_tell",
      subject: "Request URL",
      detail: `Slack has to reach ${EVENTS_PATH} at ${host}:${port}, from the internet and by https`,
      mend: `Start the bots, then press "Retry" beside the request URL under "Event Subscriptions": it says "Verified".`,
    },
  ];
}

async function checkAgentSessions(client: WebClient): Promise<ChatFinding> {
  const subject = "Agent sessions";
  const answer = await askSlack(
    client.agents.sessions.setStatus({ channel_id: NO_CHANNEL, thread_ts: NO_THREAD, status: "active" }),
  );
  if (answer.type === "no" && answer.code === "not_authorized") {
    return {
      state: "missing",
      subject,
      detail: "the app is not declared an agent, so there is no working sign and no stop button of Slack's own",
      mend: "Paste the manifest again: `agent_view` declares it.",
    };
  }
  return fromProbe(subject, answer, "the status message and its Stop button do without");
}

async function checkStreaming(client: WebClient): Promise<ChatFinding> {
  const answer = await askSlack(
    client.chat.startStream({ channel: NO_CHANNEL, thread_ts: NO_THREAD, markdown_text: "." }),
  );
  return fromProbe("Streaming", answer, "answers then come when they are whole");
}

function fromProbe(subject: string, answer: Answer<unknown>, otherwise: string): ChatFinding {
  if (answer.type === "no" && answer.code === "channel_not_found")
    return { state: "ok", subject, detail: "Slack takes the call, and names only the channel, which does not exist" };
  const said = answer.type === "no" ? ` (Slack said ${answer.code})` : "";
  return { state: "cannot_tell", subject, detail: `it is found out at first use${said}; ${otherwise}` };
}
