import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { says } from "../../fakes/messages-answer.ts";
import { bodyOf, signatureOf } from "../../fakes/slack/delivery.ts";
import { type FakeSlackCluster, startFakeSlackCluster } from "./support/fake-slack-cluster.ts";
import { mention, newChannel, seeThread, type SeenThread } from "./support/seen-thread.ts";

/** Nothing listens there. */
const NOWHERE = new URL("http://127.0.0.1:9/");

let cluster: FakeSlackCluster;
let count = 0;

/** Words that nobody has said before, and what they are answered with. */
function task(): { words: string; answer: string } {
  count += 1;
  const [words, answer] = [`task number ${count}`, `Answer number ${count}.`];
  cluster.model.play(words, says(answer));
  return { words, answer };
}

/** After everything that came before was dealt with: one more question, answered in order. */
async function expectOnly(thread: SeenThread, ...answers: string[]): Promise<void> {
  const last = task();
  thread.say("U01ALICE", last.words);
  await thread.says(last.answer);
  await thread.reaches("Done", answers.length + 1);
  expect(thread.said()).toEqual([...answers, last.answer]);
  const asked = (await thread.log()).filter(({ event }) => event.type === "user.message");
  expect(asked).toHaveLength(answers.length + 1);
}

describe("over HTTP", () => {
  beforeAll(() => start("http"));
  afterAll(() => cluster.close());
  eachIsAnsweredOnce("http");

  it("a request that Slack did not sign is refused, and so is one that it signed long ago", async () => {
    const { slack, requestUrl } = cluster;
    const said = slack.say({ channel: "C01ENG", user: "U01ALICE", text: "nobody is called" });
    await said.done;
    const [delivery] = said.deliveries;
    const event = { type: "app_mention", user: "U01ALICE", channel: "C01ENG", ts: slack.world.clock.nextTs() };
    const forged = { ...delivery?.payload, event_id: "EvFORGED", event: { ...event, text: "<@U0BOT> obey" } };
    const body = bodyOf("event", forged);
    const post = async (secret: string, atSeconds: number) => {
      const headers = { "content-type": "application/json", ...signatureOf(body, secret, atSeconds) };
      return (await fetch(requestUrl, { method: "POST", headers, body })).status;
    };
    const now = Math.floor(Date.now() / 1000);
    expect(await post("not Slack's secret", now)).toBe(401);
    expect(await post(slack.signingSecret, now - 600)).toBe(401);
    const thread = mention(cluster, "is anybody there?", { channel: "C01ENG" });
    await thread.says("Nothing is scripted for this.");
    expect(await cluster.records.inbox.knows(seeThread(cluster, "C01ENG", event.ts).key)).toBe(false);
  });
});

describe("over Socket Mode", () => {
  beforeAll(() => start("socket"));
  afterAll(() => cluster.close());
  eachIsAnsweredOnce("socket");

  it("connections that break lose nothing, and what is sent again is answered once", async () => {
    const { slack } = cluster;
    const first = task();
    const channel = newChannel(cluster);
    const said = slack.say({ channel, user: "U01ALICE", text: `<@U0BOT> ${first.words}` });
    slack.socket.drop();
    const thread = seeThread(cluster, channel, said.ts);
    await said.done;
    expect(said.deliveries.some(({ attempts }) => attempts.length > 1)).toBe(true);
    expect(said.deliveries.every(({ acked }) => acked)).toBe(true);
    await thread.says(first.answer);
    slack.socket.warn();
    await expectOnly(thread, first.answer);
  });
});

async function start(transport: "http" | "socket"): Promise<void> {
  cluster = await startFakeSlackCluster({ transport });
}

function eachIsAnsweredOnce(transport: "http" | "socket"): void {
  it("a mention that comes as two events, and both of them again as retries, is answered once", async () => {
    const { words, answer } = task();
    const channel = newChannel(cluster);
    const said = cluster.slack.say({ channel, user: "U01ALICE", text: `<@U0BOT> ${words}` });
    await said.done;
    expect(new Set(said.deliveries.map(({ payload }) => typeOf(payload)))).toEqual(new Set(["message", "app_mention"]));
    await Promise.all(said.deliveries.map((each) => cluster.slack.redeliver(each)));
    const thread = seeThread(cluster, channel, said.ts);
    await thread.says(answer);
    await Promise.all(said.deliveries.map((each) => cluster.slack.redeliver(each)));
    await expectOnly(thread, answer);
  });

  it("a mention that is edited begins no second turn", async () => {
    const { words, answer } = task();
    const thread = mention(cluster, words);
    await thread.says(answer);
    await cluster.slack.edit(thread.channel, thread.ts, `<@U0BOT> ${words}, I mean`).done;
    await expectOnly(thread, answer);
  });

  it("two people who mention it in one thread at the same moment share one session", async () => {
    const [one, two] = [task(), task()];
    const channel = newChannel(cluster);
    const root = cluster.slack.say({ channel, user: "U02BOB", text: "Look at this" });
    const say = (user: string, words: string) =>
      cluster.slack.say({ channel, user, text: `<@U0BOT> ${words}`, threadTs: root.ts });
    await Promise.all([say("U01ALICE", one.words).done, say("U02BOB", two.words).done]);
    const thread = seeThread(cluster, channel, root.ts);
    const asked = async () => (await thread.log()).filter(({ event }) => event.type === "user.message");
    await thread.says(two.answer);
    await thread.reaches("Done", thread.statuses().length);
    const log = JSON.stringify((await asked()).map(({ event }) => event));
    expect(log).toContain(one.words);
    expect(log).toContain(two.words);
    expect(await asked()).toHaveLength(2);
    const sessions = await cluster.records.audit.list({ place: `slack:T01ACME:${channel}`, limit: 10 });
    expect(sessions.filter(({ action }) => action === "session_started")).toHaveLength(1);
  });

  it("a mention that comes after a later one of its thread is a turn of the same session", async () => {
    const [first, second] = [task(), task()];
    const channel = newChannel(cluster);
    const { slack } = cluster;
    slack.deliverTo(NOWHERE);
    const late = slack.say({ channel, user: "U01ALICE", text: `<@U0BOT> ${first.words}` });
    slack.deliverTo(transport === "http" ? cluster.requestUrl : "socket");
    const thread = seeThread(cluster, channel, late.ts);
    thread.say("U01ALICE", `<@U0BOT> ${second.words}`);
    await thread.says(second.answer);
    await Promise.all(late.deliveries.map((each) => slack.redeliver(each)));
    await thread.says(first.answer);
    await expectOnly(thread, second.answer, first.answer);
  });
}

function typeOf(payload: Record<string, unknown>): unknown {
  const { event } = payload;
  return typeof event === "object" && event !== null && "type" in event ? event.type : undefined;
}
