import { execFile } from "node:child_process";
import path from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { z } from "zod";
import { ACTION_IDS } from "../../../bots/slack/action-ids.ts";
import { bash, gate, says } from "../../fakes/messages-answer.ts";
import { ROOT } from "../support/test-home.ts";
import { type FakeSlackCluster, startFakeSlackCluster } from "./support/fake-slack-cluster.ts";
import { mention, newChannel, seeThread } from "./support/seen-thread.ts";

const Audit = z.object({ action: z.string(), person: z.string(), email: z.string().nullable(), detail: z.unknown() });

let cluster: FakeSlackCluster;
let channel: string;
beforeAll(async () => {
  cluster = await startFakeSlackCluster({ transport: "http" });
});
beforeEach(() => {
  channel = newChannel(cluster);
});
afterAll(() => cluster.close());

/** `deckhand …`, as whoever runs this home calls it. */
async function deckhand(...args: string[]): Promise<string> {
  const main = path.join(ROOT, "src/cli/main.ts");
  const env = { PATH: process.env["PATH"], DECKHAND_HOME: cluster.home, LOG_LEVEL: "warn" };
  return (await promisify(execFile)(process.execPath, [main, ...args], { env })).stdout;
}
const place = () => `slack:T01ACME:${channel}` as const;

/** The audit of this channel, oldest first. */
async function audit(): Promise<z.infer<typeof Audit>[]> {
  const lines = (await deckhand("audit", "--place", place(), "--json")).trim().split("\n").filter(Boolean);
  return lines.map((line) => Audit.parse(JSON.parse(line))).toReversed();
}

describe("who may not give work is told why, once in a thread, and it is on record:", () => {
  it("a guest", async () => {
    const thread = mention(cluster, "let me in", { channel, user: "U03GUEST" });
    await thread.says("guests can't give me work here");
    thread.say("U03GUEST", "<@U0BOT> please");
    cluster.model.play("a member asks", says("Of course."));
    thread.say("U01ALICE", "<@U0BOT> a member asks");
    await thread.says("Of course.");
    expect(thread.said().filter((text) => text.includes("guests"))).toHaveLength(1);
    expect((await audit()).map(({ action, person }) => [action, person])).toEqual([
      ["request_denied", "U03GUEST"],
      ["request_denied", "U03GUEST"],
      ["session_started", "U01ALICE"],
    ]);
  });

  it("somebody of another organisation, until an operator lets them in", async () => {
    channel = "C05SHARED";
    const denied = mention(cluster, "hello from outside", { channel, user: "U91STRANGER" });
    await denied.says("people of other organisations can't give me work here");
    await deckhand("channels", "set", place(), "--allow-outsiders", "yes");
    cluster.model.play("now then", says("Welcome."));
    await mention(cluster, "now then", { channel, user: "U91STRANGER" }).says("Welcome.");
    expect((await audit()).map(({ action }) => action)).toEqual([
      "request_denied",
      "policy_changed",
      "session_started",
    ]);
  });

  it("whoever is not on the list, who may not stop either", async () => {
    await deckhand("channels", "set", place(), "--allow-users", "U01ALICE");
    await mention(cluster, "me too", { channel, user: "U02BOB" }).says("you are not among them yet");
    const held = gate();
    cluster.model.play("go on", { ...says("Went on."), before: held });
    const thread = mention(cluster, "go on", { channel });
    await held.reached;
    thread.say("U02BOB", "stop");
    await thread.says("you are not among them yet");
    held.open();
    await thread.reaches("Done");
    expect(thread.said()).toContain("Went on.");
  });
});

it("a budget that is used up stops new work with a clear message", async () => {
  await deckhand("channels", "set", place(), "--monthly-budget", "1");
  const spend = { sessionId: "sesn_spent", place: place(), requester: "U01ALICE", totalCents: 150, totalTokens: 10 };
  await cluster.records.spend.record(spend);
  const thread = mention(cluster, "one more thing", { channel });
  await thread.says("is used up: $1.50 of $1");
  expect((await cluster.records.directory.reading(thread.key)).sessionId).toBeNull();
});

it("where files may not be posted, they come as links that give the same bytes to anybody who has them", async () => {
  await deckhand("channels", "set", place(), "--post-files", "no");
  cluster.model.play("make a file", bash("printf 'by link' > /mnt/session/outputs/linked.txt"), says("Made."));
  const thread = mention(cluster, "make a file", { channel });
  await thread.reaches("Done");
  expect(thread.fileMessages()).toEqual([]);
  const links = cluster.slack.thread(channel, thread.ts).flatMap(({ blocks }) => linksIn(JSON.stringify(blocks)));
  expect(links).toHaveLength(1);
  expect(await (await fetch(links[0] ?? "")).text()).toBe("by link");
});

it("a session says who asked and from where, and its answers' ratings; the audit says who stopped it", async () => {
  const { slack, model, client } = cluster;
  model.play("rate me", says("A fine answer."));
  const thread = mention(cluster, "rate me", { channel });
  const answer = await thread.says("A fine answer.");
  await thread.reaches("Done");
  const rate = (user: string, choose: "positive" | "negative") =>
    slack.press({ channel, ts: answer.ts, user, actionId: ACTION_IDS.rate, choose }).done;
  const sessionId = await thread.session();
  const metadata = async () => (await client.beta.sessions.retrieve(sessionId)).metadata;
  await Promise.all([rate("U01ALICE", "positive"), rate("U02BOB", "negative")]);
  await expect.poll(metadata, { timeout: 20_000 }).toMatchObject({ rating_up: "1", rating_down: "1" });
  await rate("U02BOB", "positive");
  await expect.poll(metadata, { timeout: 20_000 }).toMatchObject({ rating_up: "2", rating_down: "0" });
  expect(await metadata()).toMatchObject({
    chat_team: "T01ACME",
    chat_channel: channel,
    chat_user: "U01ALICE",
    chat_user_email: "alice@acme.test",
    chat_link: expect.stringContaining(`/archives/${channel}/p${thread.ts.replace(".", "")}`),
  });

  const held = gate();
  model.play("never ends", { ...says("Never."), before: held });
  thread.say("U02BOB", "never ends");
  await held.reached;
  await thread.reaches("Working", 2);
  thread.say("U02BOB", "stop");
  await thread.reaches("Stopped", 2);
  held.open();
  expect((await audit()).map(({ action, person, email }) => [action, person, email])).toEqual([
    ["session_started", "U01ALICE", "alice@acme.test"],
    ["interrupted", "U02BOB", "bob@acme.test"],
  ]);
  expect(seeThread(cluster, channel, thread.ts).said()).toEqual(["A fine answer."]);
});

function linksIn(text: string): string[] {
  return [...text.matchAll(/http:\/\/127\.0\.0\.1:\d+\/[^\s"\\)|>]+/g)].map(([link]) => link);
}
