import { Redis } from "ioredis";
import { messageOf } from "../../errors.ts";
import type { CheckContext, Finding } from "./finding.ts";

const CONNECT_TIMEOUT_MS = 5_000;

/** Nothing to say when no Redis is configured: the queue is then in Postgres. */
export async function checkRedis({ config }: CheckContext): Promise<Finding[]> {
  if (!config.redisUrl) return [];
  const subject = "Redis";
  const client = new Redis(config.redisUrl, {
    lazyConnect: true,
    connectTimeout: CONNECT_TIMEOUT_MS,
    retryStrategy: () => null,
    maxRetriesPerRequest: 0,
  });
  let reason = "";
  client.on("error", (error: Error) => {
    reason = error.message;
  });
  try {
    await client.connect();
    const info = await client.info();
    const version = /redis_version:(\S+)/.exec(info)?.[1] ?? "unknown version";
    const policy = /maxmemory_policy:(\S+)/.exec(info)?.[1] ?? "noeviction";
    if (policy === "noeviction") return [{ state: "ok", subject, detail: version }];
    const detail = `${version}, maxmemory-policy ${policy}: it may drop queued work`;
    return [{ state: "warn", subject, detail, mend: "Set maxmemory-policy to noeviction." }];
  } catch (error) {
    const detail = `REDIS_URL does not answer (${reason || messageOf(error)})`;
    return [{ state: "fail", subject, detail, mend: "Start it, or unset REDIS_URL." }];
  } finally {
    client.disconnect();
  }
}
