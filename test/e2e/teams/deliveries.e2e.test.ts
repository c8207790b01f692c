import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { pollUntil } from "../../../src/embedded/poll.ts";
import { gate, says } from "../../fakes/messages-answer.ts";
import { type TokenDefect, TOKEN_DEFECTS } from "../../fakes/teams/channel-tokens.ts";
import { newChannel, newPerson } from "./support/places.ts";
import { ask, seeThread, type SeenThread } from "./support/seen-thread.ts";
import { startTeamsCluster, type TeamsCluster } from "./support/teams-cluster.ts";

const WAIT = { timeoutMs: 30_000, signal: AbortSignal.any([]) };
/** Nothing listens there. */
const NOWHERE = new URL("http://127.0.0.1:9/");

let cluster: TeamsCluster;
let count = 0;
beforeAll(async () => {
  cluster = await startTeamsCluster();
});
afterAll(() => cluster.close());

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
  thread.say(last.words);
  await thread.says(last.answer);
  await thread.reaches("Done", answers.length + 1);
  expect(thread.said()).toEqual([...answers, last.answer]);
  expect(await messagesOf(thread)).toHaveLength(answers.length + 1);
}

const messagesOf = async (thread: SeenThread) =>
  (await thread.log()).filter(({ event }) => event.type === "user.message");

describe("an activity whose token is not Teams' own", () => {
  it.each(TOKEN_DEFECTS)("%s: is answered 401, and nothing of it is kept", async (token: TokenDefect) => {
    const { teams } = cluster;
    const person = newPerson(teams);
    const requestsBefore = cluster.model.requests.length;
    const said = teams.say({ conversation: person, user: person, text: "obey", token });
    expect(await said.done).toMatchObject({ status: 401 });
    const thread = seeThread(cluster, person, null);
    expect(await cluster.records.inbox.knows(thread.key)).toBe(false);
    expect(teams.written(person)).toEqual([]);
    expect(cluster.model.requests).toHaveLength(requestsBefore);
  });

  it("does not stop what runs, nor decide, nor take a file", async () => {
    const { teams, model } = cluster;
    const held = gate();
    model.play("untouched", { ...says("Untouched."), before: held });
    const person = newPerson(teams);
    const thread = ask(cluster, person, "untouched");
    const card = await thread.reaches("Working");
    for (const asSubmit of [true, false]) {
      const pressed = teams.press({
        activityId: card.id,
        user: person,
        action: "Stop",
        asSubmit,
        token: "wrong_audience",
      });
      expect(await pressed.done).toMatchObject({ status: 401 });
    }
    held.open();
    await thread.says("Untouched.");
    await thread.reaches("Done");
  });
});

describe("whoever may not give work", () => {
  it("is of a tenant that is not allowed: the activity is taken and nothing of it is kept", async () => {
    const { teams } = cluster;
    const said = teams.say({ conversation: "zoe", user: "zoe", text: "let me in" });
    expect(await said.done).toMatchObject({ status: 200 });
    expect(await cluster.records.inbox.knows(seeThread(cluster, "zoe", null).key)).toBe(false);
    expect(teams.written("zoe")).toEqual([]);
  });

  it("is a guest: told why, once in a thread, and it is on record", async () => {
    const channel = newChannel(cluster.teams);
    const thread = ask(cluster, channel, "let me in", { user: "gustav" });
    await thread.says("guests can't give me work here");
    const audit = () => cluster.records.audit.list({ place: placeOf(thread), limit: 10 });
    thread.say("please", { user: "gustav" });
    const denials = async () => (await audit()).length === 2 || undefined;
    await pollUntil("the second refusal to be on record", denials, WAIT);
    const member = task();
    thread.say(member.words);
    await thread.says(member.answer);
    await thread.reaches("Done");
    expect(thread.said().filter((text) => text.includes("guests"))).toHaveLength(1);
    expect((await audit()).map(({ action }) => action).toReversed()).toEqual([
      "request_denied",
      "request_denied",
      "session_started",
    ]);
  });

  it("is of another organisation, as a member of a shared channel: told so, until an operator lets them in", async () => {
    const { teams } = cluster;
    const channel = newChannel(teams);
    const zoe = teams.world.users.find(({ key }) => key === "zoe");
    if (zoe) teams.world.conversations.find(({ key }) => key === channel)?.members.push(zoe);
    const denied = ask(cluster, channel, "hello from outside", { user: "zoe" });
    await denied.says("people of other organisations can't give me work here");
    await cluster.records.policies.set(placeOf(denied), { allowOutsiders: true });
    const { words, answer } = task();
    const welcome = ask(cluster, channel, words, { user: "zoe" });
    await welcome.says(answer);
    expect(welcome.said()).toEqual([answer]);
  });
});

describe("what Teams brings several times is answered once:", () => {
  it("the same activity again, with another timestamp, at once and later", async () => {
    const { teams } = cluster;
    const { words, answer } = task();
    const channel = newChannel(teams);
    const said = teams.say({ conversation: channel, user: "alice", text: words });
    const again = () =>
      said.sent && teams.redeliver(said.sent.delivery, { timestamp: new Date(Date.now() + 5_000).toISOString() });
    await Promise.all([again(), again(), said.done]);
    const thread = seeThread(cluster, channel, said.rootId);
    await thread.says(answer);
    expect(await again()).toMatchObject({ status: 200 });
    await expectOnly(thread, answer);
  });

  it("an activity that is edited begins no second turn", async () => {
    const { words, answer } = task();
    const thread = ask(cluster, newChannel(cluster.teams), words);
    await thread.says(answer);
    await cluster.teams.edit(thread.rootId ?? "", `${words}, I mean`).done;
    await expectOnly(thread, answer);
  });

  it("while the bots are down: Teams tries again, and it runs once they are up", async () => {
    const { teams } = cluster;
    const { words, answer } = task();
    const person = newPerson(teams);
    teams.deliverTo(NOWHERE);
    const said = teams.say({ conversation: person, user: person, text: words });
    await teams.until("the first attempt to fail", () => (said.sent?.delivery.attempts.length ?? 0) > 0);
    teams.deliverTo(cluster.endpoint);
    await said.done;
    const thread = seeThread(cluster, person, null);
    await thread.says(answer);
    await expectOnly(thread, answer);
  });
});

it("two people who mention it in one thread at the same moment share one session", async () => {
  const { teams } = cluster;
  const [one, two] = [task(), task()];
  const channel = newChannel(teams);
  const root = teams.say({ conversation: channel, user: "bob", text: "Look at this", mention: false });
  const thread = seeThread(cluster, channel, root.rootId);
  await Promise.all([thread.say(one.words).done, thread.say(two.words, { user: "bob" }).done]);
  await thread.says(two.answer);
  await thread.reaches("Done", thread.statuses().length);
  const messages = await messagesOf(thread);
  expect(JSON.stringify(messages)).toContain(one.words);
  expect(JSON.stringify(messages)).toContain(two.words);
  expect(messages).toHaveLength(2);
  const audit = await cluster.records.audit.list({ place: placeOf(thread), limit: 10 });
  expect(audit.filter(({ action }) => action === "session_started")).toHaveLength(1);
});

function placeOf({ key }: SeenThread): `teams:${string}:${string}` {
  const [, tenant = "", ...conversation] = key.split(":");
  return `teams:${tenant}:${conversation.join(":").replace(/;messageid=.*/, "")}`;
}
