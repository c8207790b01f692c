import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ACTION_IDS } from "../../../bots/slack/action-ids.ts";
import { gate, says } from "../../fakes/messages-answer.ts";
import { type FakeSlackCluster, startFakeSlackCluster } from "./support/fake-slack-cluster.ts";
import { mention, type SeenThread } from "./support/seen-thread.ts";

let cluster: FakeSlackCluster;
beforeAll(async () => {
  cluster = await startFakeSlackCluster({ transport: "http" });
});
afterAll(() => cluster.close());

const WAYS: Record<string, (thread: SeenThread) => unknown> = {
  "the word": (thread) => thread.say("U01ALICE", "stop"),
  "the word among polite ones": (thread) => thread.say("U01ALICE", "Ok, please stop now!"),
  "a mention with the word": (thread) => thread.say("U01ALICE", "<@U0BOT> stop"),
  "/deckhand stop": ({ channel }) =>
    cluster.slack.command({ channel, user: "U01ALICE", command: "/deckhand", text: "stop" }),
  "the button on the status message": ({ channel, statusMessage }) =>
    cluster.slack.press({ channel, ts: statusMessage()?.ts ?? "", user: "U01ALICE", actionId: ACTION_IDS.stop }),
  "a reaction on the first message": ({ channel, ts }) =>
    cluster.slack.react(channel, ts, "U01ALICE", "octagonal_sign"),
  "a reaction on the status message": ({ channel, statusMessage }) =>
    cluster.slack.react(channel, statusMessage()?.ts ?? "", "U01ALICE", "octagonal_sign"),
  "Slack's own button": ({ channel, ts }) => cluster.slack.stopSession({ channel, threadTs: ts, user: "U01ALICE" }),
};

describe.each(Object.entries(WAYS))("stopping by %s", (way, stop) => {
  it("interrupts, drops what waits, and nothing of the stopped turn is posted later", async () => {
    const requestsBefore = cluster.model.requests.length;
    const held = gate();
    cluster.model.play(`long ${way}`, { ...says("Too late."), before: held });
    cluster.model.play(`after ${way}`, says("A new turn."));
    const thread = mention(cluster, `long ${way}`);
    await held.reached;
    await thread.reaches("Working");
    const waiting = thread.say("U01ALICE", `never read, ${way}`);
    await cluster.slack.until("the message to be queued", () => thread.reactions(waiting).includes("inbox_tray"));

    stop(thread);
    await thread.reaches("Stopped");
    held.open();
    thread.say("U01ALICE", `after ${way}`);
    await thread.says("A new turn.");
    await thread.reaches("Done", 2);
    expect(thread.said()).toEqual(["A new turn."]);
    expect(thread.statuses()).toEqual(["Stopped", "Done"]);

    const log = (await thread.log()).map(({ event }) => event);
    const interrupted = log.findIndex(({ type }) => type === "user.interrupt");
    expect(interrupted).toBeGreaterThan(0);
    const idle = log.findIndex(({ type }) => type === "session.status_idle");
    expect(idle).toBeGreaterThan(interrupted);
    expect(log.slice(0, idle).filter(({ type }) => type === "agent.message")).toEqual([]);
    expect(cluster.model.requests).toHaveLength(requestsBefore + 2);
    expect(JSON.stringify(cluster.model.requests.at(-1)?.messages)).not.toContain("Too late.");
  });
});
