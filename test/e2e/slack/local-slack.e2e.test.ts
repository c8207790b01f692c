import { createHash } from "node:crypto";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ACTION_IDS } from "../../../bots/slack/action-ids.ts";
import { SCRIPTED_MODEL_ID } from "../../../src/models/scripted.ts";
import { pollUntil } from "../../../src/embedded/poll.ts";
import * as tables from "../../fixtures/csv/tables.ts";
import { type LocalMessage, localSlackUnavailable } from "../../support/local-slack.ts";
import { containerOf } from "../support/session-container.ts";
import { type LocalSlackCluster, startLocalSlackCluster } from "./support/local-slack-cluster.ts";

const WAIT = { timeoutMs: 90_000, signal: AbortSignal.any([]), intervalMs: 50 };
const C = "C01ENG";
const TABLE = tables.germanSales();
const FILES = ["report.xlsx", "report.xlsx (preview).png", "deck.pptx", "deck.pptx (preview).png"];
/** Goes on until it is let go of from outside. */
const LONG = "run: touch /tmp/begun; until [ -e /tmp/go ]; do sleep 0.05; done; echo let go";

let cluster: LocalSlackCluster;
afterAll(() => cluster?.close());

const thread = async (ts: string, channel = C) =>
  (await cluster.slack.messages(channel)).filter((each) => each.ts === ts || each.thread_ts === ts);
const fromBot = async (ts: string, channel = C) => (await thread(ts, channel)).filter(({ user }) => user === "U0BOT");
const seen = ({ text, blocks }: LocalMessage) => JSON.stringify([text, blocks ?? []]);
const sha256 = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest("hex");

/** Waits for a message of the app in a thread. */
function answer(ts: string, words: string, channel = C): Promise<LocalMessage> {
  const look = async () => (await fromBot(ts, channel)).find((each) => seen(each).includes(words));
  return pollUntil(`"${words}" in the thread`, look, WAIT);
}

async function reaches(ts: string, status: string, turns = 1, channel = C): Promise<LocalMessage> {
  const look = async () => {
    const statuses = (await fromBot(ts, channel)).filter(({ text }) => /^(Working|Done|Stopped|Failed)/.test(text));
    return statuses.length === turns && statuses.at(-1)?.text.startsWith(status) ? statuses.at(-1) : undefined;
  };
  return pollUntil(`the status ${status} of turn ${turns}`, look, WAIT);
}

async function sessionOf(ts: string, channel = C): Promise<string> {
  const look = async () => (await cluster.records.directory.reading(`slack:T01ACME:${channel}:${ts}`)).sessionId;
  return pollUntil("the thread's session", async () => (await look()) ?? undefined, WAIT);
}

const reactionsOf = async (ts: string) =>
  (await cluster.slack.messages(C)).find((each) => each.ts === ts)?.reactions?.map(({ name }) => name) ?? [];

describe.runIf(localSlackUnavailable() === null).each(["http", "socket"] as const)(
  "in local-slack over %s",
  (transport) => {
    beforeAll(async () => {
      await cluster?.close();
      cluster = await startLocalSlackCluster(transport, { ANTHROPIC_API_KEY: "", ANTHROPIC_BASE_URL: "" });
    });

    it("a mention with a table becomes a workbook and a deck with previews, in one message of its thread", async () => {
      const { slack, client, botToken } = cluster;
      const { ts } = await slack.upload({
        channel: C,
        user: "U01ALICE",
        text: "<@U0BOT> Build a workbook and a deck from this",
        files: [{ name: "sales.csv", bytes: TABLE }],
      });
      await pollUntil("eyes on the mention", async () => (await reactionsOf(ts)).includes("eyes") || undefined, WAIT);
      const live = await reaches(ts, "Working");
      expect(seen(live)).toContain(ACTION_IDS.stop);
      const done = await reaches(ts, "Done");
      expect(done.ts).toBe(live.ts);
      expect(seen(done)).toMatch(/tokens/);

      const withFiles = (await fromBot(ts)).filter(({ files }) => (files ?? []).length > 0);
      expect(withFiles).toHaveLength(1);
      const posted = withFiles[0]?.files ?? [];
      expect(new Set(posted.map(({ name }) => name))).toEqual(new Set(FILES));
      expect(seen(withFiles[0] ?? done)).toMatch(/report\.xlsx.*Excel workbook|report\.xlsx/);

      const outputs = await client.beta.files.list({ scope_id: await sessionOf(ts) });
      for (const file of posted) {
        const [, name, preview] = /^(.*?)( \(preview\)\.png)?$/.exec(file.name) ?? [];
        const made = outputs.data.find(({ filename, downloadable }) => downloadable && filename === name);
        const path = `/v1/files/${made?.id}/${preview ? "preview" : "content"}`;
        const ours = Buffer.from(await (await client.get(path).asResponse()).arrayBuffer());
        expect([file.name, sha256(await slack.download(file, botToken))]).toEqual([file.name, sha256(ours)]);
      }
      await slack.say({ channel: C, user: "U01ALICE", text: "run: sha256sum /mnt/session/uploads/*", thread_ts: ts });
      await answer(ts, sha256(TABLE));
      await reaches(ts, "Done", 2);
    });

    it("a reply without a mention steers, with its file, and the button stops", async () => {
      const { slack, home, client } = cluster;
      const { ts } = await slack.say({ channel: C, user: "U01ALICE", text: `<@U0BOT> ${LONG}` });
      await reaches(ts, "Working");
      const container = await containerOf(home, await sessionOf(ts));
      await container.hasFile("/tmp/begun");
      const steer = await slack.upload({
        channel: C,
        user: "U02BOB",
        text: "take this too",
        thread_ts: ts,
        files: [{ name: "late.csv", bytes: Buffer.from("a,b\n1,2\n") }],
      });
      const shown = async () => (await reactionsOf(steer.ts)).includes("inbox_tray") || undefined;
      await pollUntil("the reply to be shown as queued", shown, WAIT);
      const queue = async () => (await client.beta.sessions.events.list(await sessionOf(ts), { order: "desc" })).data;
      const queued = async () => JSON.stringify(await queue()).includes("take this too") || undefined;
      await pollUntil("the reply to wait in the session", queued, WAIT);
      await container.succeeds("touch /tmp/go");
      await answer(ts, "let go");
      await answer(ts, "Noted, but I only run the one command.");
      await reaches(ts, "Done");
      await slack.say({ channel: C, user: "U01ALICE", text: "run: cat /mnt/session/uploads/late.csv", thread_ts: ts });
      await answer(ts, "1,2");
      await reaches(ts, "Done", 2);

      await slack.say({ channel: C, user: "U01ALICE", text: "run: sleep 600", thread_ts: ts });
      const button = await reaches(ts, "Working", 3);
      await slack.press({ channel: C, ts: button.ts, user: "U01ALICE", actionId: ACTION_IDS.stop });
      expect((await reaches(ts, "Stopped", 3)).ts).toBe(button.ts);
    });

    it("where only mentions count, a reply waits for the next mention, which brings it as context", async () => {
      const { slack, records, database } = cluster;
      await records.policies.set(`slack:T01ACME:${C}`, { mode: "mention_only" });
      const say = (text: string, ts?: string) =>
        slack.say({ channel: C, user: "U01ALICE", text, ...(ts !== undefined && { thread_ts: ts }) });
      const { ts } = await say("<@U0BOT> run: echo one");
      await answer(ts, "one");
      await reaches(ts, "Done");
      await say("run: echo unheard", ts);
      await say("<@U0BOT> run: echo two", ts);
      await answer(ts, "two");
      await reaches(ts, "Done", 2);
      const log = (await database.log(await sessionOf(ts))).filter(({ event }) => event.type === "user.message");
      expect(log).toHaveLength(2);
      expect(JSON.stringify(log[1])).toMatch(/thread_context.*echo unheard/s);
      await records.policies.unset(`slack:T01ACME:${C}`);
    });

    it("a direct message needs no mention, and each one outside of a thread begins afresh", async () => {
      const { slack, botToken } = cluster;
      const direct = await slack.directMessage("U01ALICE", botToken);
      const first = await slack.say({ channel: direct, user: "U01ALICE", text: "run: echo privately" });
      await answer(first.ts, "privately", direct);
      const second = await slack.say({ channel: direct, user: "U01ALICE", text: "run: echo again" });
      await answer(second.ts, "again", direct);
      expect(await sessionOf(first.ts, direct)).not.toBe(await sessionOf(second.ts, direct));
    });

    it("a command that needs a person waits for the button, and the modal's reason is what the agent reads", async () => {
      const { slack, client, records, database } = cluster;
      const configs = [{ name: "bash" as const, permission_policy: { type: "always_ask" as const } }];
      const tools = [{ type: "agent_toolset_20260401" as const, configs }];
      const agent = await client.beta.agents.create({ name: "Asks first", model: SCRIPTED_MODEL_ID, tools });
      await records.policies.set(`slack:T01ACME:${C}`, { agentId: agent.id });
      const { ts } = await slack.say({ channel: C, user: "U01ALICE", text: "<@U0BOT> run: echo may I" });
      const card = await answer(ts, "May I run");
      expect(seen(card)).toContain("echo may I");
      await slack.press({ channel: C, ts: card.ts, user: "U01ALICE", actionId: ACTION_IDS.deny });
      await pollUntil("the modal", async () => ((await slack.calls("views.open")).length > 0 ? true : undefined), WAIT);
      await slack.submitModal("U01ALICE", { reason: { text: { type: "plain_text_input", value: "not today" } } });
      await reaches(ts, "Done");
      expect(JSON.stringify(await database.log(await sessionOf(ts)))).toContain("not today");
      expect(seen(await answer(ts, "Denied"))).toMatch(/By alice.*not today/i);
      await records.policies.unset(`slack:T01ACME:${C}`);
    });

    it("the slash command stops what runs, and the Home tab shows it", async () => {
      const { slack, records } = cluster;
      const { ts } = await slack.say({ channel: C, user: "U02BOB", text: "<@U0BOT> run: sleep 600" });
      await reaches(ts, "Working");
      const noted = async () => (await records.directory.summary(`slack:T01ACME:${C}:${ts}`))?.state === "working";
      await pollUntil("the work to be noted", async () => (await noted()) || undefined, WAIT);
      const published = async () => JSON.stringify((await slack.calls("views.publish")).at(-1) ?? null);
      await slack.openHome({ user: "U02BOB" });
      await pollUntil("the Home tab", async () => (await published()).includes("run: sleep 600") || undefined, WAIT);
      expect(await published()).toMatch(/Running.*Your usage this month/);
      await slack.command({ channel: C, user: "U02BOB", command: "/deckhand", text: "stop" });
      await reaches(ts, "Stopped");
    });
  },
);
