import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { Redis } from "ioredis";
import { afterAll, afterEach, beforeAll, expect, it } from "vitest";
import { type RunningRedis, startRedis } from "../../src/embedded/redis.ts";
import { bash, gate, says } from "../fakes/messages-answer.ts";
import { SILENT } from "../support/silent-log.ts";
import { type Cluster, startCluster } from "./support/cluster.ts";
import { containerOf } from "./support/session-container.ts";
import { expectWhole, resultsIn } from "./support/session-log.ts";

const LONG_COMMAND =
  "echo line >> effects.txt; touch /tmp/begun; until [ -e /tmp/go ]; do sleep 0.05; done; cat effects.txt";

let dir: string;
let redis: RunningRedis;
let cluster: Cluster;
beforeAll(async () => {
  dir = await mkdtemp(path.join(tmpdir(), "deckhand-e2e-redis-"));
  redis = await startRedis({ dir, log: SILENT, signal: AbortSignal.timeout(30_000) });
  cluster = await startCluster({ REDIS_URL: redis.url });
});
afterEach(() => cluster.startMissingWorkers());
afterAll(async () => {
  await cluster.close();
  await redis.stop();
  await rm(dir, { recursive: true, force: true });
});

it("Redis emptied while a command runs: the turn goes on, and so does the next one", async () => {
  const sessionId = await cluster.createSession();
  cluster.model.play("flush", bash(LONG_COMMAND), says("Done."));
  await cluster.send(sessionId, "flush");
  const container = await containerOf(cluster.home, sessionId);
  await container.hasFile("/tmp/begun");
  await flush();
  await container.succeeds("touch /tmp/go");
  await cluster.database.idle(sessionId, 1);
  await cluster.send(sessionId, "flush");
  await cluster.database.idle(sessionId, 2);
  const log = await cluster.database.log(sessionId);
  expectWhole(log);
  expect(resultsIn(log)).toEqual(["line\n", "line\nline\n"]);
});

it("Redis emptied and the worker killed while a command runs: another one finishes the turn", async () => {
  const sessionId = await cluster.createSession();
  cluster.model.play("flush and die", bash(LONG_COMMAND), says("Done."));
  const { worker } = await cluster.watch("before_tool");
  await cluster.send(sessionId, "flush and die");
  const container = await containerOf(cluster.home, sessionId);
  await container.hasFile("/tmp/begun");
  await (await worker).kill("SIGKILL");
  await flush();
  await container.succeeds("touch /tmp/go");
  await cluster.database.idle(sessionId, 1);
  const log = await cluster.database.log(sessionId);
  expectWhole(log);
  expect(resultsIn(log)).toEqual(["line\n"]);
});

it("a message whose job is lost before any worker has seen it is answered", async () => {
  const sessionId = await cluster.createSession();
  cluster.model.play("lost job", says("Found."));
  await Promise.all(cluster.workers().map((worker) => worker.kill("SIGKILL")));
  await cluster.send(sessionId, "lost job");
  await flush();
  await cluster.startMissingWorkers();
  await cluster.database.idle(sessionId, 1);
  expectWhole(await cluster.database.log(sessionId));
});

it("a worker killed in the midst of the model's answer: another one asks again", async () => {
  const sessionId = await cluster.createSession();
  const held = gate();
  cluster.model.play("die streaming", (attempt) =>
    attempt === 0 ? { ...says("Half ", "of it."), middle: held } : says("All."),
  );
  const { worker } = await cluster.watch("before_model");
  await cluster.send(sessionId, "die streaming");
  await held.reached;
  await (await worker).kill("SIGKILL");
  await cluster.database.idle(sessionId, 1);
  expectWhole(await cluster.database.log(sessionId));
});

async function flush(): Promise<void> {
  const connection = new Redis(redis.url);
  expect(await connection.keys("deckhand:*")).not.toEqual([]);
  await connection.flushall();
  await connection.quit();
}
