import { createServer } from "node:net";
import { once } from "node:events";
import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";
import { checkNamedServices } from "../../src/roles/named-services.ts";
import { startTestRedis } from "../support/redis.ts";

let redis: Awaited<ReturnType<typeof startTestRedis>>;
beforeAll(async () => {
  redis = await startTestRedis();
});
afterAll(() => redis.stop());

const signal = AbortSignal.any([]);
const NOBODY = "127.0.0.1:1";

describe("services that are named", () => {
  it("may be used when they answer", async () => {
    for (const named of [
      { databaseUrl: inject("postgres").url, redisUrl: redis.url },
      { databaseUrl: null, redisUrl: null },
    ]) {
      await expect(checkNamedServices(named, signal)).resolves.toBeUndefined();
    }
  });

  it.each([
    ["DATABASE_URL", { databaseUrl: `postgresql://me:secret@${NOBODY}/x`, redisUrl: null }],
    ["REDIS_URL", { databaseUrl: null, redisUrl: `redis://:secret@${NOBODY}` }],
  ])("are refused when nobody is there, with the variable, the place and the reason: %s", async (variable, named) => {
    const told = new RegExp(`${variable} at ${NOBODY}.*ECONNREFUSED.*unset ${variable}`);
    await expect(checkNamedServices(named, signal)).rejects.toThrow(told);
    await expect(checkNamedServices(named, signal)).rejects.not.toThrow(/secret/);
  });

  it("are refused when something else answers there", async () => {
    const other = createServer((socket) => socket.end("HTTP/1.1 400 Bad Request\r\n\r\n"));
    other.listen(0, "127.0.0.1");
    await once(other, "listening");
    const address = other.address();
    const place = typeof address === "object" && address ? `127.0.0.1:${address.port}` : "";
    try {
      const databaseUrl = `postgresql://${place}/x`;
      await expect(checkNamedServices({ databaseUrl, redisUrl: null }, signal)).rejects.toThrow("DATABASE_URL");
      await expect(checkNamedServices({ databaseUrl: null, redisUrl: `redis://${place}` }, signal)).rejects.toThrow(
        "REDIS_URL",
      );
    } finally {
      other.close();
    }
  });
});
