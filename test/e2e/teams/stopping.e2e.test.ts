import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { CARD_VERBS } from "../../../bots/teams/card-actions.ts";
import { calls, gate, says } from "../../fakes/messages-answer.ts";
import { newChannel, newGroup, newPerson } from "./support/places.ts";
import { ask, type SeenThread } from "./support/seen-thread.ts";
import { startTeamsCluster, type TeamsCluster } from "./support/teams-cluster.ts";

let cluster: TeamsCluster;
beforeAll(async () => {
  cluster = await startTeamsCluster({ hearsEverything: true });
});
afterAll(() => cluster.close());

interface Way {
  place: typeof newChannel;
  stop(thread: SeenThread): unknown;
}
const press = (thread: SeenThread, asSubmit: boolean) =>
  cluster.teams.press({ ...on(thread), action: CARD_VERBS.stop, asSubmit });
const on = ({ statusCard }: SeenThread) => ({ activityId: statusCard()?.id ?? "", user: "alice" });
const targeted = ({ conversation }: SeenThread, text: string) =>
  cluster.teams.say({ conversation, user: "alice", text, targeted: true, mention: false });

const WAYS: Record<string, Way> = {
  "the word in a personal chat": { place: newPerson, stop: ({ say }) => say("stop") },
  "/stop in a personal chat": { place: newPerson, stop: ({ say }) => say("/stop") },
  "the word in a thread, among polite ones": {
    place: newChannel,
    stop: ({ say }) => say("Ok, please stop now!", { mention: false }),
  },
  "a mention with the word in a thread": { place: newChannel, stop: ({ say }) => say("stop") },
  "a mention with the word in a group": { place: newGroup, stop: ({ say }) => say("Stop") },
  "the button on the status card": { place: newChannel, stop: (thread) => press(thread, false) },
  "the button as an old client presses it": { place: newGroup, stop: (thread) => press(thread, true) },
  "the command from the list": { place: newChannel, stop: (thread) => targeted(thread, "stop") },
  "/deckhand stop, seen by nobody else": { place: newGroup, stop: (thread) => targeted(thread, "/deckhand stop") },
};

describe.each(Object.entries(WAYS))("stopping by %s", (way, { place, stop }) => {
  it("interrupts, drops what waits, and nothing of the stopped turn is posted later", async () => {
    const requestsBefore = cluster.model.requests.length;
    const held = gate();
    cluster.model.play(`long ${way}`, { ...says("Too late."), before: held });
    cluster.model.play(`after ${way}`, says("A new turn."));
    const thread = ask(cluster, place(cluster.teams), `long ${way}`);
    await held.reached;
    await thread.reaches("Working");
    await thread.isNoted("working");
    thread.say(`never read, ${way}`);
    await thread.isTold(2);

    stop(thread);
    await thread.reaches("Stopped");
    held.open();
    thread.say(`after ${way}`);
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

it("Teams' own Stop beside a streamed answer ends the turn, and what comes after it is not posted", async () => {
  const { teams, model } = cluster;
  const [before, middle, later] = [gate(), gate(), gate()];
  const words = { type: "text" as const, chunks: ["Some words, ", "and then ", "many more ", "that nobody wants."] };
  const { content } = calls({ name: "bash", input: { command: "true" } });
  const written = { content: [words, ...content], stopReason: "tool_use" as const, before, middle };
  model.play("stream it", written, { ...says("Too late."), before: later });
  const person = newPerson(teams);
  const thread = ask(cluster, person, "stream it");
  await before.reached;
  await thread.isFollowed();
  before.open();
  const stream = () => teams.streams.find(({ conversation }) => conversation.key === person);
  await thread.until("words in the stream", () => stream()?.texts.some((shown) => shown.startsWith("Some words")));
  teams.stopStream(person);
  middle.open();
  await thread.reaches("Stopped");
  later.open();
  model.play("something else", says("A new turn."));
  thread.say("something else");
  await thread.says("A new turn.");
  await thread.reaches("Done", 2);
  expect(thread.said()).toEqual(["A new turn."]);
  expect(stream()).toMatchObject({ state: "canceled" });
  expect((await thread.log()).some(({ event }) => event.type === "user.interrupt")).toBe(true);
});

describe("a reply while it works", () => {
  it.each(Object.entries({ "a channel": newChannel, "a personal chat": newPerson }))(
    "in %s reaches the same turn at its next step",
    async (where, place) => {
      const { model, teams } = cluster;
      const held = gate();
      const first = calls({ name: "bash", input: { command: "true" } });
      model.play(`begin in ${where}`, { ...first, before: held }, says("In dollars."));
      model.play(`in euros, in ${where}`, says("In euros."));
      const thread = ask(cluster, place(teams), `begin in ${where}`);
      await held.reached;
      await thread.reaches("Working");
      thread.say(`in euros, in ${where}`, { mention: false });
      await thread.isTold(2);
      held.open();
      await thread.says("In euros.");
      await thread.reaches("Done");
      expect(thread.said()).toEqual(["In euros."]);
      expect(thread.statuses()).toEqual(["Done"]);
    },
  );
});
