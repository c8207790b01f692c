import { randomBytes } from "node:crypto";
import { mkdir, realpath } from "node:fs/promises";
import path from "node:path";
import { Redis } from "ioredis";
import { messageOf } from "../errors.ts";
import type { Logger } from "../log.ts";
import { isMissing } from "./file-errors.ts";
import { startLogged } from "./logged-process.ts";
import { pollUntil } from "./poll.ts";
import { freePort } from "./free-port.ts";

const READY_TIMEOUT_MS = 10_000;
const STOP_TIMEOUT_MS = 10_000;

export interface RedisOptions {
  /** Everything of this server is in here. */
  dir: string;
  log: Logger;
  signal: AbortSignal;
}

export interface RunningRedis {
  /** `redis://…`, with a password of its own. */
  readonly url: string;
  readonly pid: number;
  /** Ends it; what was written is on disk. Idempotent. */
  stop(): Promise<void>;
}

/**
 * A private `redis-server` from PATH on a free loopback port, set up as a queue needs it: nothing is evicted, every write is
 * in the append-only file within a second. It ends with `stop`, which one process must call that owns `dir`.
 */
export async function startRedis({ dir, log, signal }: RedisOptions): Promise<RunningRedis> {
  await mkdir(dir, { recursive: true, mode: 0o700 });
  const root = await realpath(dir);
  const port = await freePort();
  const password = randomBytes(16).toString("hex");
  const url = `redis://:${password}@127.0.0.1:${port}`;
  const logFile = path.join(root, "redis.log");
  const settings = { dir: root, bind: "127.0.0.1", port, appendonly: "yes", "maxmemory-policy": "noeviction" };
  const args = Object.entries(settings).flatMap(([name, value]) => [`--${name}`, String(value)]);
  // The password goes in by stdin: anyone can read another's arguments.
  const { child, exited, tail } = await startLogged("redis-server", ["-", ...args], logFile, { stdin: "pipe" }).catch(
    (cause: unknown) => {
      throw new Error(isMissing(cause) ? "redis-server is not installed." : messageOf(cause), { cause });
    },
  );
  child.stdin?.end(`requirepass ${password}\n`);

  const stop = async () => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    child.kill("SIGTERM");
    const forced = setTimeout(() => child.kill("SIGKILL"), STOP_TIMEOUT_MS);
    await exited;
    clearTimeout(forced);
  };
  try {
    const answers = async () => {
      if (child.exitCode !== null) throw new Error(`redis-server ended while starting:\n${await tail()}`);
      return (await answersPing(url)) || undefined;
    };
    await pollUntil("redis-server to answer", answers, { timeoutMs: READY_TIMEOUT_MS, signal });
  } catch (error) {
    await stop();
    throw error;
  }
  log.debug({ pid: child.pid, dir: root }, "Redis is ready");
  return { url, pid: child.pid ?? -1, stop };
}

async function answersPing(url: string): Promise<boolean> {
  const client = new Redis(url, { lazyConnect: true, retryStrategy: () => null, maxRetriesPerRequest: 0 });
  client.on("error", () => {});
  try {
    await client.connect();
    return (await client.ping()) === "PONG";
  } catch {
    // Not yet: the caller has a deadline and looks at the process.
    return false;
  } finally {
    client.disconnect();
  }
}
