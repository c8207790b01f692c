import { PrismaPg } from "@prisma/adapter-pg";
import pg from "pg";
import { PrismaClient } from "./generated/client.ts";

const POOL_CONNECTIONS_MAX = 24;
const CONNECT_TIMEOUT_MS = 10_000;
const STATEMENT_TIMEOUT_MS = 30_000;

export interface Database {
  prisma: PrismaClient;
  /** The same connections, for the statements of the event log, which Prisma can't express. */
  pool: pg.Pool;
  url: string;
  close(): Promise<void>;
}

/** Opens no connection until the first query. `onError` hears of connections that break while idle; the pool replaces them. */
export function createDatabase(url: string, onError: (error: Error) => void): Database {
  const pool = new pg.Pool({
    connectionString: url,
    max: POOL_CONNECTIONS_MAX,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    statement_timeout: STATEMENT_TIMEOUT_MS,
  });
  pool.on("error", onError);
  // One that leaves the pool has no listener of the pool's any more: were it to break before it is closed, the process
  // would end of it. Nobody waits for it by then.
  pool.on("connect", (client) => client.on("error", () => undefined));
  const prisma = new PrismaClient({ adapter: new PrismaPg(pool) });
  return {
    prisma,
    pool,
    url,
    async close() {
      await prisma.$disconnect();
      await pool.end();
    },
  };
}
