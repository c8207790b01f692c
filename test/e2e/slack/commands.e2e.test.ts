import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { MODEL } from "../../../bench/names.ts";
import { ACTION_IDS } from "../../../bots/slack/action-ids.ts";
import { HAND_OVER_SHORTCUT } from "../../../bots/slack/hand-over-modal.ts";
import { bash, gate, says } from "../../fakes/messages-answer.ts";
import type { Message } from "../../fakes/slack/world.ts";
import { type FakeSlackCluster, startFakeSlackCluster } from "./support/fake-slack-cluster.ts";
import { mention, newChannel, seeThread, type SeenThread } from "./support/seen-thread.ts";

let cluster: FakeSlackCluster;
let writerId: string;
beforeAll(async () => {
  cluster = await startFakeSlackCluster({ transport: "http" });
  const tools = [{ type: "agent_toolset_20260401" as const }];
  const writer = await cluster.client.beta.agents.create({ name: "Writer", model: MODEL, tools });
  writerId = writer.id;
});
afterAll(() => cluster.close());

let channel: string;
beforeEach(() => {
  channel = newChannel(cluster);
});

/** What only the caller sees; resolves when the answer is there. */
async function slash(text: string, user = "U01ALICE"): Promise<Message> {
  const seen = answersTo(user).length;
  await cluster.slack.command({ channel, user, command: "/deckhand", text }).done;
  return cluster.slack.until(`the answer to /deckhand ${text}`, () => answersTo(user)[seen], 30_000);
}

const answersTo = (user: string) => cluster.slack.messages(channel).filter(({ ephemeralFor }) => ephemeralFor === user);
const wordsOf = ({ text, blocks }: Message) => JSON.stringify([text, blocks]);

interface Running {
  thread: SeenThread;
  finish(): Promise<void>;
}

/** Alice's work that goes on until it is let finish. */
async function running(words: string): Promise<Running> {
  const held = gate();
  cluster.model.play(words, { ...bash("true"), before: held }, says(`Finished ${words}.`));
  const thread = mention(cluster, words, { channel });
  await held.reached;
  await thread.reaches("Working");
  await thread.isNoted("working");
  return {
    thread,
    async finish() {
      held.open();
      await thread.reaches("Done");
    },
  };
}

describe("/deckhand", () => {
  it("status: lists what runs with links, mine and that of others here", async () => {
    expect(wordsOf(await slash("status"))).toContain("Nothing is running, for you or here.");
    const { thread, finish } = await running("look at the numbers");
    const mine = wordsOf(await slash("status"));
    expect(mine).toContain("Yours");
    expect(mine).toContain("look at the numbers");
    expect(mine).toContain(`/archives/${channel}/p${thread.ts.replace(".", "")}`);
    const others = wordsOf(await slash("status", "U02BOB"));
    expect(others).toContain("Others here");
    expect(others).toContain("look at the numbers");
    await finish();
  });

  it("stop: says that there is nothing; asks which, when there are several; stops the one that was picked", async () => {
    expect(wordsOf(await slash("stop"))).toContain("You have nothing running here.");
    const [one, two] = [await running("first work"), await running("second work")];
    const pick = await slash("stop");
    expect(wordsOf(pick)).toContain("Which one should I stop?");
    const other = await slash("stop", "U02BOB");
    expect(wordsOf(other)).toContain("You have nothing running here.");
    const button = pick.blocks.flatMap((block) =>
      block.type === "section" && JSON.stringify(block).includes("first work") && block.accessory
        ? [block.accessory]
        : [],
    )[0];
    const actionId = button && "action_id" in button ? (button.action_id ?? "") : "";
    pressEphemeral(pick, actionId);
    await one.thread.reaches("Stopped");
    expect(two.thread.statuses()).toEqual(["Working"]);
    await slash("stop");
    await two.thread.reaches("Stopped");
  });

  it("steer: the one that runs is told, and the thread shows what", async () => {
    expect(wordsOf(await slash("steer faster"))).toContain("You have nothing running here.");
    const { thread, finish } = await running("steer me");
    expect(wordsOf(await slash("steer use euros"))).toContain("Passed on");
    await thread.says("use euros");
    await finish();
    const told = (await thread.log()).filter(({ event }) => event.type === "user.message");
    expect(JSON.stringify(told)).toContain("use euros");
    expect(told).toHaveLength(2);
  });

  it("agents and use: the latest thread goes on with another agent", async () => {
    expect(wordsOf(await slash("agents"))).toMatch(/Deckhand.*Writer/s);
    expect(wordsOf(await slash("use nobody"))).toContain("nobody");
    cluster.model.play("before the switch", says("By the usual one."));
    const thread = mention(cluster, "before the switch", { channel });
    await thread.reaches("Done");
    expect(wordsOf(await slash("use writer"))).toContain("The next message begins a session with");
    cluster.model.play("after the switch", says("By the writer."));
    thread.say("U01ALICE", "after the switch");
    await thread.says("By the writer.");
    await thread.reaches("Done", 2);
    const { agent } = await cluster.client.beta.sessions.retrieve(await thread.session());
    expect(agent.id).toBe(writerId);
  });

  it("new: offers a fresh start in the latest thread", async () => {
    cluster.model.play("remember seven", says("Seven it is."));
    const thread = mention(cluster, "remember seven", { channel });
    await thread.reaches("Done");
    const before = await thread.session();
    const pick = await slash("new");
    pressEphemeral(pick, "deckhand_pick:0");
    await thread.says("A fresh start");
    cluster.model.play("what was it?", says("I can't know."));
    thread.say("U01ALICE", "what was it?");
    await thread.says("I can't know.");
    expect(await thread.session()).not.toBe(before);
  });

  it("usage, help, and for what is unknown the nearest that there is", async () => {
    expect(wordsOf(await slash("usage"))).toMatch(/Here: .*You, in all places: /s);
    expect(wordsOf(await slash("help"))).toContain("`status` says how far I am");
    expect(wordsOf(await slash(""))).toContain("`status` says how far I am");
    expect(wordsOf(await slash("statsu"))).toContain("Did you mean `status`?");
  });
});

describe("handing over a message", () => {
  it("asks what to do and by which agent, and works in that message's thread", async () => {
    const { slack, model } = cluster;
    const { ts } = slack.say({ channel, user: "U02BOB", text: "Sales fell in May, see the table." });
    const known = new Set(slack.world.views.keys());
    await slack.shortcut({ channel, ts, user: "U01ALICE", callbackId: HAND_OVER_SHORTCUT }).done;
    const view = await slack.until("the modal", () => [...slack.world.views.values()].find(({ id }) => !known.has(id)));
    expect(JSON.stringify(view.view)).toContain("Writer");
    model.play("find out why", says("Because of the weather."));
    await slack.submitView(view.id, {
      instruction: { input: { type: "plain_text_input", value: "find out why" } },
      agent: { input: { type: "static_select", selected_option: { value: writerId } } },
    }).done;
    const thread = seeThread(cluster, channel, ts);
    await thread.says("Because of the weather.");
    await thread.reaches("Done");
    const sessionId = await thread.session();
    expect((await cluster.client.beta.sessions.retrieve(sessionId)).agent.id).toBe(writerId);
    expect(JSON.stringify(await thread.log())).toContain("Sales fell in May");
    expect(thread.said()[0]).toContain("handed this to me");
  });
});

describe("the Home tab", () => {
  it("shows what runs with a stop button, what is done with its files, usage, and what holds by default", async () => {
    const { slack, model } = cluster;
    const home = () => JSON.stringify(slack.world.homes.get("T01ACME:U02BOB")?.view ?? {});
    const shown = async (what: string) => {
      slack.openHome("U02BOB", "home");
      await slack.until(`${what} on the Home tab`, () => home().includes(what), 30_000);
    };
    await shown("Hello!");
    model.play("make a note", bash("echo note > /mnt/session/outputs/note.txt"), says("There."));
    const done = mention(cluster, "make a note", { channel, user: "U02BOB" });
    await done.reaches("Done");
    await done.isNoted("done");
    const held = gate();
    model.play("go on and on", { ...says("Never."), before: held });
    const runs = mention(cluster, "go on and on", { user: "U02BOB" });
    await held.reached;
    await runs.reaches("Working");
    await runs.isNoted("working");
    await shown("go on and on");
    expect(home()).toMatch(/Running.*go on and on.*Done.*make a note.*Latest files.*note\.txt/s);
    expect(home()).toMatch(/Your usage this month.*sessions? \(\d{4}-\d{2}/s);
    expect(home()).toMatch(/In channels without settings.*Agent: Deckhand/s);
    expect(home()).toContain(`"action_id":"${ACTION_IDS.stop}"`);
    held.open();
    await runs.reaches("Done");
  });

  it("an empty conversation suggests what to say", async () => {
    cluster.slack.openHome("U01ALICE", "messages");
    const prompts = await cluster.slack.until("prompts", () => cluster.slack.world.prompts.get("D01ALICE"));
    expect(prompts.map(({ title }) => title)).toContain("Build a report");
  });
});

/** An ephemeral message can't be found again; Slack sends what was pressed on it all the same. */
function pressEphemeral(message: Message, actionId: string): void {
  message.ephemeralFor = null;
  cluster.slack.press({ channel, ts: message.ts, user: "U01ALICE", actionId });
}
