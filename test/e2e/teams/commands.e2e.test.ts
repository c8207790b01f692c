import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { MODEL } from "../../../bench/names.ts";
import { CARD_VERBS } from "../../../bots/teams/card-actions.ts";
import { bash, gate, says } from "../../fakes/messages-answer.ts";
import type { Activity } from "../../fakes/teams/world.ts";
import { newChannel, newGroup, newPerson } from "./support/places.ts";
import { ask, type SeenThread } from "./support/seen-thread.ts";
import { startTeamsCluster, type TeamsCluster } from "./support/teams-cluster.ts";

let cluster: TeamsCluster;
let writerId: string;
beforeAll(async () => {
  cluster = await startTeamsCluster();
  const tools = [{ type: "agent_toolset_20260401" as const }];
  const writer = await cluster.client.beta.agents.create({ name: "Writer", model: MODEL, tools });
  writerId = writer.id;
});
afterAll(() => cluster.close());

let place: string;
beforeEach(() => {
  place = newChannel(cluster.teams);
});

/** A command from the list; resolves with what its caller alone sees of the answer. */
async function command(text: string, user = "alice"): Promise<Activity> {
  const seen = answersTo(user).length;
  const { done } = cluster.teams.say({ conversation: place, user, text, targeted: true, mention: false });
  expect(await done).toMatchObject({ status: 200 });
  return cluster.teams.until(`the answer to ${text}`, () => answersTo(user)[seen], 30_000);
}

const answersTo = (user: string) => cluster.teams.messages(place).filter(({ targetedTo }) => targetedTo?.key === user);
const wordsOf = ({ wire }: Activity) => JSON.stringify([wire["text"], wire["attachments"]]);

interface Running {
  thread: SeenThread;
  finish(): Promise<void>;
}

/** Alice's work, or that of the person whose chat it is, which goes on until it is let finish. */
async function running(words: string): Promise<Running> {
  const held = gate();
  cluster.model.play(words, { ...bash("true"), before: held }, says(`Finished ${words}.`));
  const thread = ask(cluster, place, words);
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

describe("from the list of commands, seen by their caller alone:", () => {
  it("status lists what runs with links, mine and that of others here", async () => {
    expect(wordsOf(await command("status"))).toContain("Nothing is running, for you or here.");
    const { thread, finish } = await running("look at the numbers");
    const mine = wordsOf(await command("status"));
    expect(mine).toMatch(/Yours.*look at the numbers/s);
    expect(mine).toContain(`parentMessageId=${thread.rootId}`);
    expect(wordsOf(await command("/deckhand status", "bob"))).toMatch(/Others here.*look at the numbers/s);
    await finish();
    expect(thread.said()).toEqual(["Finished look at the numbers."]);
  });

  it("stop says that there is nothing; asks which, when there are several; stops the one that was picked", async () => {
    expect(wordsOf(await command("stop"))).toContain("You have nothing running here.");
    const [one, two] = [await running("first work"), await running("second work")];
    const pick = await command("stop");
    expect(wordsOf(pick)).toContain("Which one should I stop?");
    expect(wordsOf(await command("stop", "bob"))).toContain("You have nothing running here.");
    const first = choices(pick).find(({ words }) => words.includes("first work"));
    const answer = await cluster.teams.invoke(pick, "alice", "adaptiveCard/action", {
      action: { type: "Action.Execute", verb: CARD_VERBS.pick, data: first?.data },
      trigger: "manual",
    }).done;
    expect(answer.status).toBe(200);
    await one.thread.reaches("Stopped");
    expect(two.thread.statuses()).toEqual(["Working"]);
    await command("stop");
    await two.thread.reaches("Stopped");
  });

  it("steer tells the one that runs, and the thread shows what", async () => {
    expect(wordsOf(await command("steer faster"))).toContain("You have nothing running here.");
    const { thread, finish } = await running("steer me");
    expect(wordsOf(await command("steer use euros"))).toContain("Passed on");
    await thread.says("use euros");
    await finish();
    const told = (await thread.log()).filter(({ event }) => event.type === "user.message");
    expect(JSON.stringify(told)).toContain("use euros");
    expect(told).toHaveLength(2);
  });

  it("agents and use: the latest thread goes on with another agent", async () => {
    expect(wordsOf(await command("agents"))).toMatch(/Deckhand.*Writer/s);
    expect(wordsOf(await command("use nobody"))).toContain("nobody");
    cluster.model.play("before the switch", says("By the usual one."));
    const thread = ask(cluster, place, "before the switch");
    await thread.reaches("Done");
    expect(wordsOf(await command("use writer"))).toContain("The next message begins a session with");
    cluster.model.play("after the switch", says("By the writer."));
    thread.say("after the switch");
    await thread.says("By the writer.");
    await thread.reaches("Done", 2);
    const { agent } = await cluster.client.beta.sessions.retrieve(await thread.session());
    expect(agent.id).toBe(writerId);
  });

  it("usage, help, and for what is unknown the nearest that there is, in a group", async () => {
    place = newGroup(cluster.teams);
    expect(wordsOf(await command("usage"))).toMatch(/Here: .*You, in all places: /s);
    expect(wordsOf(await command("help"))).toContain("`status` says how far I am");
    expect(wordsOf(await command("/deckhand"))).toContain("`status` says how far I am");
    expect(wordsOf(await command("statsu"))).toContain("Did you mean `status`?");
    expect(cluster.teams.written(place).filter(({ targetedTo }) => targetedTo === null)).toEqual([]);
  });
});

describe.each(Object.entries({ "a thread": newChannel, "a personal chat": newPerson }))(
  "written in %s, they are answered there:",
  (_, make) => {
    beforeEach(() => {
      place = make(cluster.teams);
    });

    it("status, help, usage and agents", async () => {
      const { thread, finish } = await running(`talk in ${place}`);
      thread.say("status");
      await thread.says("tokens");
      thread.say("help");
      await thread.says("`status` says how far I am");
      thread.say("/usage");
      await thread.says("Here: ");
      thread.say("agents");
      await thread.says("Writer");
      await finish();
      const told = (await thread.log()).filter(({ event }) => event.type === "user.message");
      expect(told).toHaveLength(1);
    });

    it("use and new: the next message begins a session, with the agent that was named", async () => {
      cluster.model.play(`first in ${place}`, says("Remembered."));
      cluster.model.play(`second in ${place}`, says("By the writer."));
      const thread = ask(cluster, place, `first in ${place}`);
      await thread.reaches("Done");
      const before = await thread.session();
      thread.say("use agent writer");
      await thread.says("The next message begins a session with");
      thread.say(`second in ${place}`);
      await thread.says("By the writer.");
      await thread.reaches("Done", 2);
      const after = await thread.session();
      expect(after).not.toBe(before);
      expect((await cluster.client.beta.sessions.retrieve(after)).agent.id).toBe(writerId);
      thread.say("new");
      await thread.says("A fresh start");
    });
  },
);

/** `data` of each button of a list that asks which thread is meant, with the words beside it. */
function choices({ wire }: Activity): { words: string; data: unknown }[] {
  const [attachment] = Array.isArray(wire["attachments"]) ? wire["attachments"] : [];
  const rows: unknown[] = Object(Object(attachment).content).body ?? [];
  return rows.flatMap((row) => {
    const words = JSON.stringify(row);
    const [, data] = /"data":(\{[^{}]*\})/.exec(words) ?? [];
    return data === undefined ? [] : [{ words, data: JSON.parse(data) }];
  });
}
