import { Redis } from "ioredis";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { connectRedisWakeups } from "../../src/sessions/wakeups-redis.ts";
import { wakeupsContract } from "../contracts/wakeups.ts";
import { startTestRedis } from "../support/redis.ts";
import { SILENT } from "../support/silent-log.ts";

describe("wake-ups by Redis", () => {
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

  wakeupsContract(() => ({
    connect: () => connectRedisWakeups(redis.url, "test", SILENT),
    async breakConnections() {
      await admin.call("CLIENT", "KILL", "TYPE", "pubsub");
    },
  }));

  it("keeps installations with another prefix apart", async () => {
    const [ours, theirs] = [
      await connectRedisWakeups(redis.url, "ours", SILENT),
      await connectRedisWakeups(redis.url, "theirs", SILENT),
    ];
    const heard: string[] = [];
    await theirs.subscribe("s", ({ sessionId }) => heard.push(sessionId));
    ours.publish({ sessionId: "s" });
    const flushed = Promise.withResolvers<void>();
    await ours.subscribe("end", () => flushed.resolve());
    theirs.publish({ sessionId: "end" });
    ours.publish({ sessionId: "end" });
    await flushed.promise;
    expect(heard).toEqual([]);
    await Promise.all([ours.close(), theirs.close()]);
  });
});
