import { mkdtemp, rm } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { Redis } from "ioredis";
import { pino } from "pino";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { processIdentity } from "../../src/embedded/process-identity.ts";
import { startRedis } from "../../src/embedded/redis.ts";

let dir: string;
beforeEach(async () => {
  dir = await mkdtemp(path.join(os.tmpdir(), "deckhand-redis-"));
});
afterEach(() => rm(dir, { recursive: true, force: true }));

const start = () => startRedis({ dir, log: pino({ level: "silent" }), signal: AbortSignal.any([]) });

async function withClient<Result>(url: string, work: (client: Redis) => Promise<Result>): Promise<Result> {
  const client = new Redis(url).on("error", () => {});
  try {
    return await work(client);
  } finally {
    client.disconnect();
  }
}

describe("startRedis", () => {
  it("evicts nothing, lets nobody in without the password, and keeps what was written over a restart", async () => {
    const first = await start();
    await withClient(first.url, async (client) => {
      expect(await client.config("GET", "maxmemory-policy")).toEqual(["maxmemory-policy", "noeviction"]);
      await client.set("kept", "yes");
    });
    const { port } = new URL(first.url);
    await withClient(`redis://127.0.0.1:${port}`, (client) => expect(client.get("kept")).rejects.toThrow("NOAUTH"));
    await first.stop();
    expect(await processIdentity(first.pid)).toBeNull();

    const second = await start();
    expect(await withClient(second.url, (client) => client.get("kept"))).toBe("yes");
    await second.stop();
  });
});
