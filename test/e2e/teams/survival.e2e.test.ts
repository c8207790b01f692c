import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { pollUntil } from "../../../src/embedded/poll.ts";
import { bash, gate, says, type StreamedAnswer } from "../../fakes/messages-answer.ts";
import { FILE_INFO } from "../../fakes/teams/activity-rules.ts";
import type { Fault } from "../../fakes/teams/faults.ts";
import { DOCUMENTED_THROTTLES } from "../../fakes/teams/throttles.ts";
import { conversationOf } from "../../fakes/teams/world.ts";
import { expectWhole } from "../support/session-log.ts";
import { newChannel, newGroup, newPerson } from "./support/places.ts";
import { ask, type SeenThread } from "./support/seen-thread.ts";
import { startTeamsCluster, type TeamsCluster } from "./support/teams-cluster.ts";

const MAKE_FILE = bash("printf 'made once' > /mnt/session/outputs/made.txt");
const WAIT = { timeoutMs: 60_000, signal: AbortSignal.any([]) };
/** A message that was brought to its session is noted as such, but only after a long sleep. */
const HOLD_SETTLING = `
  CREATE FUNCTION hold() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN PERFORM pg_sleep(25); RETURN NEW; END';
  CREATE TRIGGER hold BEFORE UPDATE ON chat_inbound FOR EACH ROW
    WHEN (OLD.settled_at IS NULL AND NEW.settled_at IS NOT NULL) EXECUTE FUNCTION hold()`;
/** Those who sleep never wake, and with them dies what they were about to write. */
const LET_SETTLE = `
  SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE wait_event = 'PgSleep';
  DROP TRIGGER hold ON chat_inbound; DROP FUNCTION hold()`;

let cluster: TeamsCluster;
beforeAll(async () => {
  cluster = await startTeamsCluster({ redeliveryDelaysMs: [0, 1_000, 2_000, 4_000, 8_000, 16_000] });
});
afterEach(startMissing);
afterAll(() => cluster.close());

async function startMissing(): Promise<void> {
  for (const role of ["api", "worker", "bots"] as const) await cluster.start(role);
}

const asked = (log: Awaited<ReturnType<SeenThread["log"]>>) => log.filter(({ event }) => event.type === "user.message");

interface Allowed {
  /** How many status cards the first turn may have left, and how many times its answer may be there. */
  statuses?: number;
  answers?: number;
  fileMessages?: number;
}

/**
 * Nothing is lost, and what is there more often than once is so by the rule that `surface.ts` states: a post whose answer was
 * lost is made again. The next message is answered as if nothing had been.
 */
async function expectWholeThread(thread: SeenThread, answer: string, allowed: Allowed = {}): Promise<void> {
  const { statuses = 1, answers = 1, fileMessages = 0 } = allowed;
  await thread.says(answer);
  await thread.reaches("Done", statuses);
  const next = `still there, ${thread.key}?`;
  cluster.model.play(next, says("Yes."));
  thread.say(next);
  await thread.says("Yes.");
  await thread.reaches("Done", statuses + 1);
  expect(thread.said()).toEqual([...Array<string>(answers).fill(answer), "Yes."]);
  expect(thread.statuses()).toHaveLength(statuses + 1);
  expect(thread.statuses().slice(statuses - 1)).toEqual(["Done", "Done"]);
  expect(thread.fileMessages()).toHaveLength(fileMessages);
  const log = await thread.log();
  expectWhole(log);
  expect(asked(log)).toHaveLength(2);
}

describe("the bots killed at once in the midst of everything", () => {
  const POINTS = {
    "before the status is posted": { operation: "send", when: "before", allowed: {} },
    "with the status posted, and no word of that": { operation: "send", when: "after", allowed: { statuses: 2 } },
    "while the status is updated": { operation: "update", when: "after", allowed: {} },
    "before the answer is posted": { operation: "send", when: "before", allowed: {} },
    "with the answer posted, and no word of that": { operation: "send", when: "after", allowed: { answers: 2 } },
    "with the files posted, and no word of that": { operation: "send", when: "after", allowed: { fileMessages: 2 } },
  } as const;
  type Point = keyof typeof POINTS;
  const threads = new Map<string, SeenThread>();

  beforeAll(async () => {
    const { teams, model } = cluster;
    const begin = (point: string, ...answers: StreamedAnswer[]) => {
      model.play(point, ...answers);
      const thread = ask(cluster, newChannel(teams), point);
      threads.set(point, thread);
      return thread;
    };
    const answer = (point: string) => says(`Killed ${point}.`);
    /** Typing goes out before; only the next message is to hang. */
    const dieAt = (point: Point, thread: SeenThread) => {
      const { operation, when } = POINTS[point];
      const fault: Fault = { type: "hang", when };
      return teams.fail(operation, fault, { conversation: conversationOf(teams.world, thread.conversation).id });
    };
    const reached: Promise<unknown>[] = [];
    for (const point of ["before the status is posted", "with the status posted, and no word of that"] as const) {
      const channel = newChannel(teams);
      const typed = gate();
      const { id } = conversationOf(teams.world, channel);
      void teams.fail("send", { type: "hold", when: "after", until: typed.opened }, { conversation: id });
      model.play(point, answer(point));
      const thread = ask(cluster, channel, point);
      threads.set(point, thread);
      await teams.until("typing", () => teams.callsTo("send").some((call) => call.conversation === id));
      reached.push(dieAt(point, thread));
      typed.open();
    }
    for (const point of ["before the answer is posted", "with the answer posted, and no word of that"] as const) {
      const held = gate();
      const thread = begin(point, { ...answer(point), before: held });
      await thread.reaches("Working");
      reached.push(dieAt(point, thread));
      held.open();
    }
    const update = "while the status is updated" as const;
    const [one, two] = [gate(), gate()];
    const updated = begin(update, { ...bash("true"), before: one }, { ...answer(update), before: two });
    await updated.reaches("Working");
    reached.push(dieAt(update, updated));
    one.open();
    const files = "with the files posted, and no word of that" as const;
    const held = gate();
    const filed = begin(files, MAKE_FILE, { ...answer(files), before: held });
    await filed.reaches("Working");
    held.open();
    await filed.says(`Killed ${files}.`);
    reached.push(dieAt(files, filed));
    await Promise.all(reached);
    await cluster.database.execute(HOLD_SETTLING);
    const told = begin("before it is noted that the session was told", says("Told once."));
    await pollUntil("the session to be told", async () => asked(await told.log()).length > 0 || undefined, WAIT);
    await cluster.kill("bots");
    await cluster.database.execute(LET_SETTLE);
    two.open();
    await cluster.start("bots");
  });

  it.each(Object.entries(POINTS))(
    "%s: nothing is lost, and doubled only what could not be known",
    async (point, { allowed }) => {
      const thread = threads.get(point);
      if (thread) await expectWholeThread(thread, `Killed ${point}.`, allowed);
      expect(thread).toBeDefined();
    },
  );

  it("before it is noted that the session was told: it is told once", async () => {
    const thread = threads.get("before it is noted that the session was told");
    if (thread) await expectWholeThread(thread, "Told once.");
    expect(thread).toBeDefined();
  });
});

it.each(["before", "after"] as const)(
  "the bots killed while an allowed file is uploaded (%s it is there)",
  async (when) => {
    const { teams, model } = cluster;
    model.play(`file ${when}`, MAKE_FILE, says("There it is."));
    const person = newPerson(teams);
    const thread = ask(cluster, person, `file ${when}`);
    await thread.reaches("Done");
    const offer = await thread.until("the consent card", () => thread.consentCards()[0]);
    const reached = teams.fail("upload", { type: "hang", when });
    await teams.consent(offer.id, person, "accept").done;
    await reached;
    await cluster.kill("bots");
    // Nobody waits for a claim to run out.
    await cluster.database.execute("UPDATE teams_consents SET claimed_at = NULL WHERE settled_at IS NULL");
    await cluster.start("bots");
    await thread.until("the card that follows", () => thread.consentCards().length === 0);
    const shown = JSON.stringify(offer.wire["attachments"]);
    const items = teams.world.items.filter(({ driveId }) => driveId === `b!onedrive-${person}`);
    expect(items.map(({ bytes }) => bytes.toString())).toEqual(["made once"]);
    expect(shown.includes(FILE_INFO) || shown.includes("It may not have been saved")).toBe(true);
    if (when === "before") expect(shown).toContain(FILE_INFO);
  },
);

it("a worker killed while the model answers: the turn goes on in the same status, with one answer", async () => {
  const held = gate();
  cluster.model.play("kill the worker", (attempt) => ({
    ...says("From another."),
    ...(attempt === 0 && { before: held }),
  }));
  const thread = ask(cluster, newChannel(cluster.teams), "kill the worker");
  await held.reached;
  await thread.reaches("Working");
  await cluster.kill("worker");
  await cluster.start("worker");
  await expectWholeThread(thread, "From another.");
});

it("the bots killed while an answer streams: the whole answer is there once", async () => {
  const { teams, model } = cluster;
  const [begin, goOn] = [gate(), gate()];
  const words = "This is said bit by bit until it is whole.";
  const content = [{ type: "text" as const, chunks: words.split(/(?<= )/) }];
  model.play("stream on", { content, before: begin, middle: goOn });
  const person = newPerson(teams);
  const thread = ask(cluster, person, "stream on");
  await begin.reached;
  await thread.isFollowed();
  begin.open();
  const stream = () => teams.streams.find(({ conversation }) => conversation.key === person);
  await thread.until("words in the stream", () => (stream()?.texts.length ?? 0) > 0);
  await cluster.kill("bots");
  goOn.open();
  await cluster.start("bots");
  await thread.says(words);
  await thread.reaches("Done");
  expect(thread.said()).toEqual([words]);
  expect(stream()).toMatchObject({ state: "final" });
});

it("within Teams' documented limits nothing is refused for being too much, however fast people write", async () => {
  const { teams, model } = cluster;
  teams.limit(DOCUMENTED_THROTTLES);
  const before = teams.calls.length;
  const thread = ask(cluster, newGroup(teams), "help");
  for (let count = 1; count < 12; count++) thread.say("help");
  model.play("and work", bash("true"), says("All of it."));
  thread.say("and work");
  await thread.says("All of it.");
  await thread.reaches("Done");
  await thread.until("all that was asked for", () => thread.said().length === 13);
  expect(teams.calls.slice(before).map(({ answer }) => answer?.status)).not.toContain(429);
  teams.limit(null);
});

it("what Teams puts off, or its gateways lose, is only later", async () => {
  const { teams, model } = cluster;
  const channel = newChannel(teams);
  const { id } = conversationOf(teams.world, channel);
  void teams.fail("send", { type: "throttled", retryAfterSeconds: 1 }, { conversation: id, times: 2 });
  for (const status of [412, 502, 504]) void teams.fail("send", { type: "http", status }, { conversation: id });
  model.play("after all that", says("Still here."));
  const thread = ask(cluster, channel, "after all that");
  await thread.says("Still here.");
  await thread.reaches("Done");
  expect(thread.said()).toEqual(["Still here."]);
  expect(thread.statuses()).toEqual(["Done"]);
});

it("where the app was removed nothing more is posted, the log says so, and a new message opens the place again", async () => {
  const { teams, model } = cluster;
  const held = gate();
  model.play("gone", { ...says("Nobody hears it."), before: held });
  const channel = newChannel(teams);
  const thread = ask(cluster, channel, "gone");
  await thread.reaches("Working");
  const place = conversationOf(teams.world, channel);
  place.botInRoster = false;
  held.open();
  await teams.until(
    "a refusal",
    () => teams.calls.some(({ conversation, answer }) => conversation === place.id && answer?.status === 403),
    30_000,
  );
  await cluster.process("bots").firstLine(/(nothing more is posted to a conversation)/, 30_000);
  await thread.isNoted("done");
  const refused = () =>
    teams.calls.filter(({ conversation, answer }) => conversation === place.id && answer?.status === 403).length;
  const refusals = refused();
  expect(refusals).toBeLessThan(6);
  place.botInRoster = true;
  model.play("back again", says("Good to be back."));
  const again = ask(cluster, channel, "back again");
  await again.says("Good to be back.");
  expect(refused()).toBe(refusals);
});
