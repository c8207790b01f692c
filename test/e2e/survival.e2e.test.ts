import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { epochMs } from "../../bench/epoch-ms.ts";
import { pollUntil } from "../../src/embedded/poll.ts";
import { bash, gate, says } from "../fakes/messages-answer.ts";
import { type Cluster, startCluster } from "./support/cluster.ts";
import { containerOf } from "./support/session-container.ts";
import { expectWhole, resultsIn } from "./support/session-log.ts";

/**
 * From the kill to the first event of whoever goes on, at the default lease. The bench's figure `recovery` says how long it
 * takes; this only tells an expired lease from a way back that nobody meant, on a machine however slow.
 */
const RECOVERY_MAX_MS = 20_000;
const EFFECTS = "/workspace/effects.txt";
const APPEND_LINE = `echo line >> ${EFFECTS}`;
/** Appends a line, then goes on until it is let go of from outside. */
const LONG_COMMAND = `${APPEND_LINE}; touch /tmp/begun; until [ -e /tmp/go ]; do sleep 0.05; done; echo finished`;

let cluster: Cluster;
beforeAll(async () => {
  cluster = await startCluster();
});
afterEach(() => cluster.startMissingWorkers());
afterAll(() => cluster.close());

describe("a worker killed", () => {
  it.each(["before_model", "after_model", "before_tool", "after_tool", "before_idle"] as const)(
    "at %s: another one finishes the turn",
    async (point) => {
      const sessionId = await cluster.createSession();
      const output = "echo kept > /mnt/session/outputs/kept.txt";
      cluster.model.play(`die ${point}`, bash(`${APPEND_LINE}; ${output}; echo ran`), says("Done."));
      const { died } = await cluster.dieAt(point);
      await cluster.send(sessionId, `die ${point}`);
      const killedAt = await died;
      await cluster.database.idle(sessionId, 1);
      await expectRecovered(sessionId, killedAt);
      await expectOneEffect(sessionId, ["ran\n"]);
      const files = await cluster.client.beta.files.list({ scope_id: sessionId });
      expect(files.data.map(({ filename }) => filename)).toEqual(["kept.txt"]);
    },
  );

  it("in the midst of the model's answer: another one asks again", async () => {
    const sessionId = await cluster.createSession();
    const held = gate();
    cluster.model.play("die streaming", (attempt) =>
      attempt === 0 ? { ...says("Half ", "of ", "an ", "answer."), middle: held } : bash(`${APPEND_LINE}; echo ran`),
    );
    const { worker } = await cluster.watch("before_model");
    await cluster.send(sessionId, "die streaming");
    await held.reached;
    const killedAt = await killed(worker);
    await cluster.database.idle(sessionId, 1);
    await expectRecovered(sessionId, killedAt);
    await expectOneEffect(sessionId, ["ran\n"]);
  });

  it("while a command runs: another one waits for that command", async () => {
    const sessionId = await cluster.createSession();
    cluster.model.play("die in a command", bash(LONG_COMMAND), says("Done."));
    const { worker } = await cluster.watch("before_tool");
    await cluster.send(sessionId, "die in a command");
    const container = await containerOf(cluster.home, sessionId);
    await container.hasFile("/tmp/begun");
    const epoch = await cluster.database.leaseEpoch(sessionId);
    const killedAt = await killed(worker);
    expect((await takenOver(sessionId, epoch)) - killedAt).toBeLessThan(RECOVERY_MAX_MS);
    await container.succeeds("touch /tmp/go");
    await cluster.database.idle(sessionId, 1);
    await expectOneEffect(sessionId, ["finished\n"]);
  });
});

it("the API killed in the midst of a turn: the turn goes on, and the API shows it when it is back", async () => {
  const sessionId = await cluster.createSession();
  const held = gate();
  cluster.model.play("lose the API", { ...bash(`${APPEND_LINE}; echo ran`), before: held }, says("Done."));
  await cluster.send(sessionId, "lose the API");
  await held.reached;
  await cluster.api().kill("SIGKILL");
  held.open();
  await cluster.database.idle(sessionId, 1);
  await cluster.restartApi();
  await expectOneEffect(sessionId, ["ran\n"]);
  const shown: string[] = [];
  for await (const { id } of cluster.client.beta.sessions.events.list(sessionId)) shown.push(id);
  const log = await cluster.database.log(sessionId);
  expect(shown).toEqual(log.map(({ event }) => event.id));
});

it("Postgres killed while a command runs: it is started again, and the turn goes on", async () => {
  const sessionId = await cluster.createSession();
  cluster.model.play("lose Postgres", bash(LONG_COMMAND), says("Done."));
  await cluster.send(sessionId, "lose Postgres");
  const container = await containerOf(cluster.home, sessionId);
  await container.hasFile("/tmp/begun");
  process.kill(await cluster.database.pid(), "SIGKILL");
  await container.succeeds("touch /tmp/go");
  await cluster.database.answers();
  await cluster.database.idle(sessionId, 1);
  await expectOneEffect(sessionId, ["finished\n"]);
});

it("the container killed while a command runs: the outcome is said to be unknown, and the session goes on", async () => {
  const sessionId = await cluster.createSession();
  cluster.model.play("lose the container", bash(LONG_COMMAND), bash("echo new; ls /workspace"), says("Done."));
  await cluster.send(sessionId, "lose the container");
  const container = await containerOf(cluster.home, sessionId);
  await container.hasFile("/tmp/begun");
  await container.remove();
  await cluster.database.idle(sessionId, 1);
  const log = await cluster.database.log(sessionId);
  expectWhole(log);
  expect(resultsIn(log)).toEqual([expect.stringContaining("whether it had any effect is unknown"), "new\n"]);
});

async function killed(finding: Promise<{ kill(signal: "SIGKILL"): Promise<void> }>): Promise<number> {
  const worker = await finding;
  const at = epochMs();
  await worker.kill("SIGKILL");
  return at;
}

/** When another worker took the session up. */
function takenOver(sessionId: string, epoch: number): Promise<number> {
  const look = async () => ((await cluster.database.leaseEpoch(sessionId)) > epoch ? epochMs() : undefined);
  return pollUntil("another worker", look, { timeoutMs: 20_000, signal: AbortSignal.any([]) });
}

async function expectRecovered(sessionId: string, killedAt: number): Promise<void> {
  const log = await cluster.database.log(sessionId);
  const stamps = log.map(({ event }) => Date.parse(event.processed_at));
  expect(Math.min(...stamps.filter((at) => at > killedAt)) - killedAt).toBeLessThan(RECOVERY_MAX_MS);
}

/** Whatever happened, the turn's results are these, its command had its effect once, and the session takes another turn. */
async function expectOneEffect(sessionId: string, results: string[]): Promise<void> {
  expectWhole(await cluster.database.log(sessionId));
  cluster.model.play("look", bash(`cat ${EFFECTS}`), says("Looked."));
  await cluster.send(sessionId, "look");
  await cluster.database.idle(sessionId, 2);
  const log = await cluster.database.log(sessionId);
  expectWhole(log);
  expect(resultsIn(log)).toEqual([...results, "line\n"]);
}
