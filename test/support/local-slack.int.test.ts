import { afterEach, describe, expect, it } from "vitest";
import { pollUntil } from "../../src/embedded/poll.ts";
import { type BoltApp, startBoltApp } from "./bolt-app.ts";
import { freePort } from "../../src/embedded/free-port.ts";
import { type LocalSlack, localSlackUnavailable, startLocalSlack } from "./local-slack.ts";
import { slackClient } from "./slack-client.ts";

const TOKENS = { botToken: "xoxb-acme", appToken: "xapp-local", signingSecret: "local-secret" };
const APP = { appId: "A01OPS", botUserId: "U0BOT", botName: "ops-agent", ...TOKENS };
const WAIT = { timeoutMs: 10_000, signal: AbortSignal.any([]) };

let slack: LocalSlack;
let app: BoltApp;
afterEach(async () => {
  await app?.stop();
  await slack?.close();
});

it("runs here, where there is a build", () => {
  const isBuilt = process.platform === "linux" && process.arch === "x64";
  expect(localSlackUnavailable() === null).toBe(isBuilt);
});

describe.runIf(localSlackUnavailable() === null).each(["http", "socket"] as const)(
  "the real Bolt over %s",
  (transport) => {
    it("hears, answers, is pressed, opens a modal, is called and gets files", async () => {
      const { requestUrl } = await start(transport);
      expect(requestUrl !== null).toBe(transport === "http");

      const said = await slack.say({ channel: "C01ENG", user: "U01ALICE", text: "<@U0BOT> hello" });
      const answer = await answered("the answer", async () =>
        (await slack.messages("C01ENG")).find(({ thread_ts, user }) => thread_ts === said.ts && user === "U0BOT"),
      );
      await slack.press({ channel: "C01ENG", ts: answer.ts, user: "U02BOB", actionId: "ask" });
      await heard("press ask");
      await slack.submitModal("U02BOB", { said: { words: { type: "plain_text_input", value: "please" } } });
      await slack.command({ channel: "C01ENG", user: "U02BOB", command: "/agent", text: "help" });
      await heard(`app_mention ${said.ts}`, `message ${said.ts}`, "submit please", "command help");

      const client = slackClient(slack);
      const file_uploads = ["a", "b"].map((name) => ({ file: Buffer.from(name), filename: `${name}.txt` }));
      await client.files.uploadV2({ channel_id: "C01ENG", thread_ts: said.ts, initial_comment: "Here.", file_uploads });
      const sent = (await slack.messages("C01ENG")).find(({ files }) => files?.length === 2);
      expect(sent?.thread_ts).toBe(said.ts);
      expect(String(await slack.download(sent?.files?.[0] ?? { url_private_download: "" }, "xoxb-acme"))).toBe("a");
    });
  },
);

describe.runIf(localSlackUnavailable() === null)("people", () => {
  it("send files, write to the app alone, edit, react and take back", async () => {
    await start("http");
    const direct = await slack.directMessage("U01ALICE", "xoxb-acme");
    const files = [{ name: "a.csv", bytes: Buffer.from("1,2") }];
    const sent = await slack.upload({ channel: direct, user: "U01ALICE", text: "look", files });
    await heard(`message ${sent.ts}`);
    expect(sent.subtype).toBe("file_share");

    const { ts } = await slack.say({ channel: "C01ENG", user: "U01ALICE", text: "hello" });
    await slack.react({ channel: "C01ENG", ts, user: "U02BOB", name: "eyes" });
    await slack.edit({ channel: "C01ENG", ts, user: "U01ALICE", text: "hello there" });
    expect(await slack.messages("C01ENG")).toMatchObject([{ text: "hello there", reactions: [{ name: "eyes" }] }]);
    await slack.remove({ channel: "C01ENG", ts, user: "U01ALICE" });
    await slack.reset();
    expect(await slack.messages("C01ENG")).toEqual([]);
  });
});

async function start(transport: "http" | "socket"): Promise<BoltApp> {
  const port = await freePort();
  const requestUrl = `http://127.0.0.1:${port}/slack/events`;
  slack = await startLocalSlack({
    apps: [{ ...APP, ...(transport === "http" ? { mode: "events", requestUrl } : { mode: "socket" }) }],
    users: [
      { id: "U01ALICE", name: "alice", real_name: "Alice", email: "alice@acme.test" },
      { id: "U02BOB", name: "bob", real_name: "Bob", email: "bob@acme.test" },
    ],
    channels: [{ id: "C01ENG", name: "eng", members: ["U01ALICE", "U02BOB", "U0BOT"] }],
  });
  app = await startBoltApp({ apiUrl: slack.apiUrl, ...TOKENS }, transport, port);
  return app;
}

async function heard(...lines: string[]): Promise<void> {
  await answered(lines.join(", "), async () => lines.every((line) => app.seen.includes(line)) || undefined);
}

async function answered<T>(what: string, probe: () => Promise<T | undefined>): Promise<T> {
  return pollUntil(what, probe, WAIT);
}
