import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { readdir, readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import path from "node:path";
import { promisify } from "node:util";
import pg from "pg";
import { z } from "zod";
import type { Logger } from "../log.ts";
import { pollUntil } from "./poll.ts";
import { withClient } from "./with-client.ts";

const run = promisify(execFile);

const ROOT = path.resolve(import.meta.dirname, "../..");
const MIGRATIONS = path.join(ROOT, "prisma/migrations");
const CONNECT_TIMEOUT_MS = 10_000;
const DEPLOY_TIMEOUT_MS = 10 * 60_000;
/** Any number that nothing else locks. Prisma has a lock of its own, for which it waits only 10 s. */
const LOCK_KEY = 7_203_911_846;
const LOCK_INTERVAL_MS = 50;
const SYSTEM_PATH = "/usr/local/bin:/usr/bin:/bin";
const UNDEFINED_TABLE = "42P01";

const AppliedMigration = z.object({ migration_name: z.string(), checksum: z.string() });
const Locked = z.object({ locked: z.boolean() });
const Output = z.object({ stdout: z.string(), stderr: z.string() });

/**
 * Brings the database up to `prisma/migrations` with `prisma migrate deploy`. Costs one query when nothing is pending.
 * Safe to call from several processes at once: one applies, the others wait for it.
 * @throws with Prisma's own words when a migration fails; the database then has what was applied before it
 */
export async function migrateDeploy(databaseUrl: string, log: Logger, signal = AbortSignal.any([])): Promise<void> {
  await withClient(databaseUrl, CONNECT_TIMEOUT_MS, async (client) => {
    if ((await pendingMigrations(client)).length === 0) return;
    await pollUntil("another process to apply migrations", () => tryLock(client), {
      timeoutMs: DEPLOY_TIMEOUT_MS,
      intervalMs: LOCK_INTERVAL_MS,
      signal,
    });
    const pending = await pendingMigrations(client);
    if (pending.length === 0) return;
    log.info({ pending }, "Applying database migrations");
    await prismaDeploy(databaseUrl, signal);
  });
}

/** The names of migrations that the database lacks, or has in another version than the files here. */
export async function pendingMigrations(client: pg.Client): Promise<string[]> {
  const [files, applied] = await Promise.all([migrationChecksums(), appliedChecksums(client)]);
  return [...files].filter(([name, checksum]) => applied.get(name) !== checksum).map(([name]) => name);
}

async function migrationChecksums(): Promise<Map<string, string>> {
  const folders = (await readdir(MIGRATIONS, { withFileTypes: true })).filter((entry) => entry.isDirectory());
  const checksums = folders.map(async ({ name }) => {
    const sql = await readFile(path.join(MIGRATIONS, name, "migration.sql"));
    return [name, createHash("sha256").update(sql).digest("hex")] as const;
  });
  return new Map((await Promise.all(checksums)).toSorted(([a], [b]) => a.localeCompare(b)));
}

async function appliedChecksums(client: pg.Client): Promise<Map<string, string>> {
  const sql =
    "SELECT migration_name, checksum FROM _prisma_migrations WHERE finished_at IS NOT NULL AND rolled_back_at IS NULL";
  try {
    const { rows } = await client.query(sql);
    return new Map(
      z
        .array(AppliedMigration)
        .parse(rows)
        .map((row) => [row.migration_name, row.checksum]),
    );
  } catch (error) {
    if (error instanceof pg.DatabaseError && error.code === UNDEFINED_TABLE) return new Map();
    throw error;
  }
}

async function prismaDeploy(databaseUrl: string, signal: AbortSignal): Promise<void> {
  const cli = path.join(path.dirname(createRequire(import.meta.url).resolve("prisma/package.json")), "build/index.js");
  try {
    await run(process.execPath, [cli, "migrate", "deploy"], {
      cwd: ROOT,
      timeout: DEPLOY_TIMEOUT_MS,
      // The CLI starts the schema engine through `env node`, which must be this Node.
      env: {
        PATH: `${path.dirname(process.execPath)}:${SYSTEM_PATH}`,
        DATABASE_URL: databaseUrl,
        CHECKPOINT_DISABLE: "1",
      },
      signal,
    });
  } catch (cause) {
    signal.throwIfAborted();
    throw new Error(`The database migrations could not be applied:\n${outputOf(cause)}`, { cause });
  }
}

async function tryLock(client: pg.Client): Promise<true | undefined> {
  const { rows } = await client.query("SELECT pg_try_advisory_lock($1) AS locked", [LOCK_KEY]);
  return Locked.parse(rows[0]).locked || undefined;
}

function outputOf(error: unknown): string {
  const parsed = Output.safeParse(error);
  return parsed.success ? `${parsed.data.stdout}\n${parsed.data.stderr}`.trim() : String(error);
}
