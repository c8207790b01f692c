import { createRedisBackend, Queue as BullQueue } from "bullmq";
import { Redis } from "ioredis";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { connectQueue } from "../../src/queue/bullmq.ts";
import { startSweeper } from "../../workers/sweep.ts";
import { queueContract } from "../contracts/queue.ts";
import { startTestRedis } from "../support/redis.ts";
import { openSessionDatabase } from "../support/session-database.ts";
import { SILENT } from "../support/silent-log.ts";

const PREFIX = "test";

describe("BullMQ on Redis", () => {
  let redis: Awaited<ReturnType<typeof startTestRedis>>;
  let admin: Redis;
  beforeAll(async () => {
    redis = await startTestRedis();
    admin = new Redis(redis.url);
  });
  afterAll(async () => {
    admin.disconnect();
    await redis.stop();
  });
  const connect = () => connectQueue({ type: "redis", url: redis.url, prefix: PREFIX }, SILENT);

  queueContract(() => ({
    connect,
    async enqueueRaw(payload) {
      const queue = new BullQueue(
        "run-session",
        { connection: { url: redis.url }, prefix: PREFIX },
        createRedisBackend,
      );
      await queue.add("run-session", payload);
      await queue.close();
    },
    async breakConnections() {
      await admin.call("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes");
    },
  }));

  it("is closed in the end also when Redis has gone away", async () => {
    const own = await startTestRedis();
    const queue = await connectQueue({ type: "redis", url: own.url, prefix: PREFIX }, SILENT);
    await queue.work("run-session", () => Promise.resolve(), { concurrency: 1 });
    await own.stop();
    await expect(queue.close()).resolves.toBeUndefined();
  });

  it("loses nothing that matters when Redis is flushed: the sweeper finds the work and hints again", async () => {
    const db = await openSessionDatabase({ leaseMs: 500 });
    const queue = await connect();
    const ids = await Promise.all(Array.from({ length: 10 }, () => db.newSession()));
    for (const id of ids) {
      await db.send(id, "hello");
      await queue.enqueue("run-session", { session_id: id });
    }
    await admin.flushall();
    const handled = new Set<string>();
    await queue.work("run-session", async ({ session_id }) => void handled.add(session_id), { concurrency: 4 });
    const sweeper = startSweeper({
      leases: db.leases,
      hintRun: (session_id) => queue.enqueue("run-session", { session_id }),
      leaseMs: 500,
      log: SILENT,
    });
    await expect.poll(() => [...handled].toSorted(), { timeout: 10_000 }).toEqual(ids.toSorted());
    // The worker also survives a flush while it waits for jobs.
    handled.clear();
    await admin.flushall();
    await expect.poll(() => handled.size, { timeout: 15_000 }).toBe(ids.length);
    await sweeper.stop();
    await queue.close();
    await db.close();
  });
});
