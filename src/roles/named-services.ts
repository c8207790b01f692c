import { Redis } from "ioredis";
import pg from "pg";
import type { Config } from "../config.ts";
import { messageOf } from "../errors.ts";

const CONNECT_TIMEOUT_MS = 5_000;

/**
 * Whether the services that the configuration names can be used. Clients made later wait for a server that went away; one
 * that was never there is a wrong address, which a person has to mend.
 * @throws an error that names the variable and what to do; never shows a password
 */
export async function checkNamedServices(
  { databaseUrl, redisUrl }: Pick<Config, "databaseUrl" | "redisUrl">,
  signal: AbortSignal,
): Promise<void> {
  if (databaseUrl !== null) await mustAnswer("DATABASE_URL", databaseUrl, () => askPostgres(databaseUrl));
  signal.throwIfAborted();
  if (redisUrl !== null) await mustAnswer("REDIS_URL", redisUrl, () => askRedis(redisUrl));
  signal.throwIfAborted();
}

async function mustAnswer(variable: string, url: string, ask: () => Promise<void>): Promise<void> {
  try {
    await ask();
  } catch (error) {
    const what = `The server of ${variable} at ${placeOf(url)} can't be used (${messageOf(error)}).`;
    throw new Error(`${what} Start it, or mend or unset ${variable}.`, { cause: error });
  }
}

async function askPostgres(url: string): Promise<void> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: CONNECT_TIMEOUT_MS });
  // What breaks the connection also rejects `connect`.
  client.on("error", () => {});
  try {
    await client.connect();
  } finally {
    await client.end();
  }
}

async function askRedis(url: string): Promise<void> {
  const client = new Redis(url, {
    lazyConnect: true,
    connectTimeout: CONNECT_TIMEOUT_MS,
    commandTimeout: CONNECT_TIMEOUT_MS,
    retryStrategy: () => null,
    maxRetriesPerRequest: 0,
  });
  // `connect` says only that the connection is closed; this says why.
  let reason: Error | null = null;
  client.on("error", (error) => {
    reason = error;
  });
  try {
    await client.connect();
    await client.ping();
  } catch (error) {
    throw reason ?? error;
  } finally {
    client.disconnect();
  }
}

/** A database's URL may name a socket's folder in its query in place of a host. */
function placeOf(url: string): string {
  const { host, pathname, searchParams } = new URL(url);
  return `${host || (searchParams.get("host") ?? "")}${pathname}`;
}
