import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { bash, gate, says } from "../../fakes/messages-answer.ts";
import { type FakeSlackCluster, startFakeSlackCluster } from "./support/fake-slack-cluster.ts";
import { mention, newChannel, seeThread } from "./support/seen-thread.ts";

const STREAM_LIFE_MS = 5 * 60_000;
/** Calls to post that may come at once, after a rest. */
const BURST = 3;

let cluster: FakeSlackCluster;
beforeAll(async () => {
  cluster = await startFakeSlackCluster({ transport: "socket", streamLifetimeMs: STREAM_LIFE_MS });
});
afterAll(() => cluster.close());

describe("Slack's pace", () => {
  it("many threads of one channel at once: about one post a second, and every answer once", async () => {
    const channel = newChannel(cluster);
    const words = Array.from({ length: 6 }, (_, at) => `all at once ${at}`);
    for (const each of words) cluster.model.play(each, says(`Answer to ${each}.`));
    const threads = words.map((each) => mention(cluster, each, { channel }));
    await Promise.all(threads.map((thread) => thread.reaches("Done")));
    for (const [at, thread] of threads.entries()) expect(thread.said()).toEqual([`Answer to ${words[at]}.`]);
    const posts = cluster.slack.callsTo("chat.postMessage").filter(({ args }) => args["channel"] === channel);
    expect(posts).toHaveLength(2 * words.length);
    for (const [from, first] of posts.entries()) {
      for (const [count, later] of posts.slice(from).entries()) {
        expect(count + 1).toBeLessThanOrEqual(BURST + (later.at - first.at) / 1_000);
      }
    }
  });

  it("told to wait, it waits that long, and then posts once", async () => {
    cluster.model.play("slow down", says("Slowly."));
    const channel = newChannel(cluster);
    void cluster.slack.fail("chat.postMessage", { type: "rate_limited", retryAfterSeconds: 2 }, { times: 2 });
    const thread = mention(cluster, "slow down", { channel });
    await thread.says("Slowly.");
    await thread.reaches("Done");
    expect(thread.said()).toEqual(["Slowly."]);
    expect(thread.statuses()).toEqual(["Done"]);
    const [refused, ...later] = cluster.slack
      .callsTo("chat.postMessage")
      .filter(({ args }) => args["channel"] === channel);
    expect((later[0]?.at ?? 0) - (refused?.at ?? 0)).toBeGreaterThanOrEqual(1_900);
  });
});

describe("an answer in a direct message", () => {
  const direct = { channel: "D01ALICE", user: "U01ALICE" };

  it("is shown while it is written, in one message that is the answer in the end", async () => {
    const held = gate();
    const words = Array.from({ length: 40 }, (_, at) => `Word ${at} `);
    const begun = gate();
    cluster.model.play("stream this", { ...says(...words), before: begun, middle: held });
    const { ts } = cluster.slack.say({ ...direct, text: "stream this" });
    const thread = seeThread(cluster, direct.channel, ts);
    await thread.reaches("Working");
    begun.open();
    const streamed = await thread.says("Word 3");
    expect(streamed.text).not.toContain("Word 39");
    held.open();
    await thread.reaches("Done");
    expect(thread.said()).toEqual([expect.stringContaining("Word 39")]);
    expect(thread.said()[0]?.replaceAll("\u200B", "")).toBe(words.join("").trim());
    expect((await thread.says("Word 39")).ts).toBe(streamed.ts);
  });

  it("is whole though Slack ends the stream", async () => {
    const held = gate();
    const words = Array.from({ length: 40 }, (_, at) => `Part ${at} `);
    const begun = gate();
    cluster.model.play("lose the stream", { ...says(...words), before: begun, middle: held });
    const { ts } = cluster.slack.say({ ...direct, text: "lose the stream" });
    const thread = seeThread(cluster, direct.channel, ts);
    await thread.reaches("Working");
    begun.open();
    const streamed = await thread.says("Part 3");
    cluster.slack.clock.advance(STREAM_LIFE_MS);
    held.open();
    await thread.reaches("Done");
    expect(thread.said()).toEqual([expect.stringContaining("Part 39")]);
    expect((await thread.says("Part 39")).ts).toBe(streamed.ts);
    const refused = cluster.slack.calls.filter(({ answer }) => answer?.error === "message_not_in_streaming_state");
    expect(refused.length).toBeGreaterThan(0);
  });

  it("is not streamed in a channel", async () => {
    cluster.model.play("no stream here", says("All at once."));
    const before = cluster.slack.callsTo("chat.startStream").length;
    const thread = mention(cluster, "no stream here");
    await thread.reaches("Done");
    expect(thread.said()).toEqual(["All at once."]);
    expect(cluster.slack.callsTo("chat.startStream")).toHaveLength(before);
  });
});

it.each(["files.getUploadURLExternal", "files.completeUploadExternal"])(
  "files that Slack refuses at %s come as a link to the same bytes",
  async (method) => {
    const name = `refused-${method}.bin`;
    const make = bash(`seq 1 5000 > /mnt/session/outputs/${name}`);
    cluster.model.play(`refused at ${method}`, make, says("Here it is."));
    void cluster.slack.fail(method, { type: "error", error: "file_uploads_disabled" }, { times: 20 });
    const thread = mention(cluster, `refused at ${method}`);
    await thread.reaches("Done");
    expect(thread.fileMessages()).toEqual([]);
    const posts = cluster.slack.thread(thread.channel, thread.ts).map(({ blocks }) => JSON.stringify(blocks));
    const links = posts.flatMap((text) => [...text.matchAll(/http:\/\/127\.0\.0\.1:\d+\/[^\s"\\)|>]+/g)]);
    expect(links).toHaveLength(1);
    expect(posts.join()).toContain("this workspace does not allow files to be posted");
    const bytes = await (await fetch(String(links[0]?.[0]))).text();
    expect(bytes).toBe(Array.from({ length: 5000 }, (_, at) => `${at + 1}\n`).join(""));
  },
);

it("Slack that can't be reached for a while loses nothing", async () => {
  const held = gate();
  cluster.model.play("lose Slack", { ...says("Slack is back."), before: held });
  const thread = mention(cluster, "lose Slack");
  await thread.reaches("Working");
  const failed = cluster.slack.fail("*", { type: "http", status: 503 }, { times: 4 });
  held.open();
  await failed;
  await thread.says("Slack is back.");
  await thread.reaches("Done");
  expect(thread.said()).toEqual(["Slack is back."]);
});
