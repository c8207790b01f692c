import { freePort } from "../../../../src/embedded/free-port.ts";
import { type LocalSlack, type LocalSlackConfig, startLocalSlack } from "../../../support/local-slack.ts";
import { type ChatCluster, startChatCluster } from "../../support/chat-cluster.ts";

const APP = {
  appId: "A01OPS",
  botUserId: "U0BOT",
  botName: "ops-agent",
  botToken: "xoxb-local",
  appToken: "xapp-local",
  signingSecret: "local-signing-secret",
};

/** U01ALICE and U02BOB with the bot U0BOT in C01ENG. */
const PEOPLE: Omit<LocalSlackConfig, "apps"> = {
  users: [
    { id: "U01ALICE", name: "alice", real_name: "Alice", email: "alice@acme.test" },
    { id: "U02BOB", name: "bob", real_name: "Bob", email: "bob@acme.test" },
  ],
  channels: [{ id: "C01ENG", name: "eng", members: ["U01ALICE", "U02BOB", "U0BOT"] }],
};

export interface LocalSlackCluster extends ChatCluster {
  slack: LocalSlack;
  botToken: string;
}

/** Deckhand in the emulator local-slack. @throws what keeps a process from starting, with everything undone */
export async function startLocalSlackCluster(
  transport: "http" | "socket",
  env: Record<string, string> = {},
): Promise<LocalSlackCluster> {
  const port = await freePort();
  const requestUrl = `http://127.0.0.1:${port}/slack/events`;
  const app = transport === "http" ? { mode: "events" as const, requestUrl } : { mode: "socket" as const };
  const slack = await startLocalSlack({ ...PEOPLE, apps: [{ ...APP, ...app }] });
  const way: Record<string, string> =
    transport === "http"
      ? { SLACK_SIGNING_SECRET: APP.signingSecret, SLACK_PORT: String(port) }
      : { SLACK_APP_TOKEN: APP.appToken };
  try {
    const cluster = await startChatCluster({
      SLACK_API_URL: slack.apiUrl,
      SLACK_BOT_TOKEN: APP.botToken,
      ...way,
      ...env,
    });
    const close = async () => {
      try {
        await cluster.close();
      } finally {
        await slack.close();
      }
    };
    return { ...cluster, slack, botToken: APP.botToken, close };
  } catch (error) {
    await slack.close();
    throw error;
  }
}
