import { type FakeSlack, type FakeSlackOptions, startFakeSlack } from "../../../fakes/slack-web-api.ts";
import { freePort } from "../../../../src/embedded/free-port.ts";
import { type ChatCluster, startChatCluster } from "../../support/chat-cluster.ts";

const EVENTS_PATH = "/slack/events";

export interface FakeSlackCluster extends ChatCluster {
  slack: FakeSlack;
  /** Where events come in by HTTP, and people install the app. */
  requestUrl: URL;
}

export interface FakeSlackClusterOptions extends Omit<FakeSlackOptions, "deliverTo"> {
  transport: "http" | "socket";
  /** More settings for all processes. */
  env?: Record<string, string>;
}

/**
 * Deckhand in T01ACME of our own fake. Closing it fails when the app did what nobody does who knows Slack.
 * @throws what keeps a process from starting, with everything undone
 */
export async function startFakeSlackCluster(options: FakeSlackClusterOptions): Promise<FakeSlackCluster> {
  const { transport, env = {}, ...given } = options;
  const slack = await startFakeSlack(given);
  const port = await freePort();
  const requestUrl = new URL(`http://127.0.0.1:${port}${EVENTS_PATH}`);
  const way: Record<string, string> =
    transport === "http" ? { SLACK_SIGNING_SECRET: slack.signingSecret } : { SLACK_APP_TOKEN: slack.appToken };
  try {
    const cluster = await startChatCluster({
      SLACK_API_URL: slack.apiUrl,
      SLACK_BOT_TOKEN: "xoxb-acme",
      SLACK_PORT: String(port),
      ...way,
      ...env,
    });
    slack.deliverTo(transport === "http" ? requestUrl : "socket");
    return { ...cluster, slack, requestUrl, close: () => closeBoth(cluster, slack) };
  } catch (error) {
    await slack.close();
    throw error;
  }
}

async function closeBoth(cluster: ChatCluster, slack: FakeSlack): Promise<void> {
  try {
    await cluster.close();
  } finally {
    await slack.close();
  }
  if (slack.violations.length > 0) throw new Error(`Slack would refuse:\n${slack.violations.join("\n")}`);
}
