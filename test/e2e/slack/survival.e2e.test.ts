import pg from "pg";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { pollUntil } from "../../../src/embedded/poll.ts";
import { bash, gate, says, type StreamedAnswer } from "../../fakes/messages-answer.ts";
import { expectWhole } from "../support/session-log.ts";
import { type FakeSlackCluster, startFakeSlackCluster } from "./support/fake-slack-cluster.ts";
import { mention, newChannel, seeThread, type SeenThread } from "./support/seen-thread.ts";

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

let cluster: FakeSlackCluster;
beforeAll(async () => {
  cluster = await startFakeSlackCluster({ transport: "http", retryDelaysMs: [0, 1_000, 2_000, 4_000, 8_000, 16_000] });
});
afterEach(startMissing);
afterAll(() => cluster.close());

async function startMissing(): Promise<void> {
  for (const role of ["api", "worker", "bots"] as const) await cluster.start(role);
}

/** Everything that should be in the thread is there once, and the next message is answered as if nothing had been. */
async function expectOnce(thread: SeenThread, answer: string, files = 0): Promise<void> {
  await thread.says(answer);
  await thread.reaches("Done");
  cluster.model.play("still there?", says("Yes."));
  thread.say("U01ALICE", "still there?");
  await thread.says("Yes.");
  await thread.reaches("Done", 2);
  expect(thread.said()).toEqual([answer, "Yes."]);
  expect(thread.statuses()).toEqual(["Done", "Done"]);
  expect(thread.fileMessages().map(({ fileIds }) => fileIds.length)).toEqual(Array(files).fill(1));
  const log = await thread.log();
  expectWhole(log);
  expect(asked(log)).toHaveLength(2);
}

const asked = (log: Awaited<ReturnType<SeenThread["log"]>>) => log.filter(({ event }) => event.type === "user.message");

describe("the bots killed at once in the midst of everything", () => {
  const CALLS = {
    "while the status is updated": { method: "chat.update", when: "after", files: 1 },
    "with the files announced": { method: "files.getUploadURLExternal", when: "after", files: 1 },
    "with the files in the thread, and no word of that": {
      method: "files.completeUploadExternal",
      when: "after",
      files: 1,
    },
    "before the files are in the thread": { method: "files.completeUploadExternal", when: "before", files: 1 },
    "with the answer in the thread, and no word of that": { method: "chat.postMessage", when: "after", files: 0 },
    "with the status in the thread, and no word of that": { method: "chat.postMessage", when: "after", files: 0 },
    "before the status is in the thread": { method: "chat.postMessage", when: "before", files: 0 },
  } as const;
  type Point = keyof typeof CALLS;
  const threads = new Map<string, SeenThread>();

  beforeAll(async () => {
    const held = { update: gate(), answer: gate() };
    const begin = (point: string, ...answers: StreamedAnswer[]) => {
      cluster.model.play(point, ...answers);
      const thread = mention(cluster, point);
      threads.set(point, thread);
      return thread;
    };
    const answer = (point: string) => says(`Killed ${point}.`);
    const dieAt = (point: Point) => cluster.slack.fail(CALLS[point].method, { type: "hang", when: CALLS[point].when });

    // Nothing of an earlier thread may come to the next one's call, so each hangs, or waits for the model.
    let at: Point = "while the status is updated";
    let reached = dieAt(at);
    begin(at, MAKE_FILE, { ...answer(at), before: held.update });
    await reached;
    for (at of [
      "with the files announced",
      "with the files in the thread, and no word of that",
      "before the files are in the thread",
    ] as const) {
      reached = dieAt(at);
      begin(at, MAKE_FILE, answer(at));
      await reached;
    }
    at = "with the answer in the thread, and no word of that";
    await begin(at, { ...answer(at), before: held.answer }).reaches("Working");
    reached = dieAt(at);
    held.answer.open();
    await reached;
    for (at of ["with the status in the thread, and no word of that", "before the status is in the thread"] as const) {
      reached = dieAt(at);
      begin(at, answer(at));
      await reached;
    }
    await cluster.database.execute(HOLD_SETTLING);
    const told = begin("before it is noted that the session was told", says("Told once."));
    await pollUntil("the session to be told", async () => asked(await told.log()).length > 0 || undefined, WAIT);
    await cluster.kill("bots");
    await cluster.database.execute(LET_SETTLE);
    held.update.open();
    await cluster.start("bots");
  });

  it.each(Object.entries(CALLS))("%s: nothing is lost and nothing doubled", async (point, { files }) => {
    const thread = threads.get(point);
    if (thread) await expectOnce(thread, `Killed ${point}.`, files);
    expect(thread).toBeDefined();
  });

  it("before it is noted that the session was told: it is told once", async () => {
    const thread = threads.get("before it is noted that the session was told");
    if (thread) await expectOnce(thread, "Told once.");
    expect(thread).toBeDefined();
  });
});

it("the bots do not run when a mention comes: Slack brings it again, and it is answered once", async () => {
  cluster.model.play("nobody listens", says("Here I am."));
  await cluster.kill("bots");
  const thread = mention(cluster, "nobody listens");
  await cluster.start("bots");
  await expectOnce(thread, "Here I am.");
});

it("a worker killed while the model answers: the turn goes on in the same status, with one answer", async () => {
  const held = gate();
  cluster.model.play("kill the worker", (attempt) => ({
    ...says("From another."),
    ...(attempt === 0 && { before: held }),
  }));
  const thread = mention(cluster, "kill the worker");
  await held.reached;
  await thread.reaches("Working");
  await cluster.kill("worker");
  await cluster.start("worker");
  await expectOnce(thread, "From another.");
});

it("all processes killed at once: what was asked for is answered once", async () => {
  const held = gate();
  cluster.model.play("kill all", (attempt) => ({ ...says("After all."), ...(attempt === 0 && { before: held }) }));
  const thread = mention(cluster, "kill all");
  await held.reached;
  await Promise.all((["bots", "worker", "api"] as const).map((role) => cluster.kill(role)));
  await startMissing();
  await expectOnce(thread, "After all.");
});

it("the API is down when a mention comes: people are told that it is kept, and it runs later, once", async () => {
  cluster.model.play("nobody home", says("Home again."));
  await cluster.kill("api");
  const thread = mention(cluster, "nobody home");
  await thread.says("Your request is kept");
  await cluster.start("api");
  await thread.says("Home again.");
  await thread.reaches("Done");
  expect(thread.said()).toEqual([expect.stringContaining("Your request is kept"), "Home again."]);
  expect(asked(await thread.log())).toHaveLength(1);
});

describe("while Postgres can't keep anything", () => {
  it("Slack gets no acknowledgement, and what it brings again runs once", async () => {
    cluster.model.play("no database", says("With a database."));
    const outside = new pg.Client({ connectionString: await cluster.database.url() });
    await outside.connect();
    await outside.query("BEGIN; LOCK TABLE chat_inbound IN ACCESS EXCLUSIVE MODE");
    const channel = newChannel(cluster);
    const said = cluster.slack.say({ channel, user: "U01ALICE", text: "<@U0BOT> no database" });
    const tried = async () => said.deliveries.every(({ attempts }) => attempts.length > 0) || undefined;
    await pollUntil("both deliveries to be tried", tried, WAIT);
    expect(said.deliveries.flatMap(({ attempts }) => attempts.map(({ status }) => status))).not.toContain(200);
    await outside.query("COMMIT");
    await outside.end();
    const thread = seeThread(cluster, channel, said.ts);
    await thread.says("With a database.");
    await said.done;
    expect(said.deliveries.every(({ acked }) => acked)).toBe(true);
    await expectOnce(thread, "With a database.");
  });

  it("killed just before a mention: it is started again, and the mention is answered once", async () => {
    cluster.model.play("killed database", says("It came back."));
    process.kill(await cluster.database.pid(), "SIGKILL");
    const thread = mention(cluster, "killed database");
    await thread.says("It came back.");
    await cluster.database.answers();
    await thread.reaches("Done");
    expect(thread.said()).toEqual(["It came back."]);
  });
});
