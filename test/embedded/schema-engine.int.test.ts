import { execFile } from "node:child_process";
import { cp, mkdtemp, readdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { promisify } from "node:util";
import pg from "pg";
import { pino } from "pino";
import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";
import { migrateDeploy, pendingMigrations } from "../../src/embedded/migrate.ts";

const run = promisify(execFile);
const ROOT = path.resolve(import.meta.dirname, "../..");
const CLI = path.join(ROOT, "node_modules/prisma/build/index.js");
const log = pino({ level: "silent" });
const TIMEOUT_MS = 60_000;

let project: string;
const databases: string[] = [];

beforeAll(async () => {
  project = await mkdtemp(path.join(os.tmpdir(), "deckhand-prisma-"));
  for (const name of ["prisma", "prisma.config.ts", "package.json"]) {
    await cp(path.join(ROOT, name), path.join(project, name), { recursive: true });
  }
  await symlink(path.join(ROOT, "node_modules"), path.join(project, "node_modules"));
});
afterAll(async () => {
  await rm(project, { recursive: true, force: true });
  for (const name of databases) await onServer(`DROP DATABASE IF EXISTS ${name} WITH (FORCE)`);
});

async function onServer(sql: string): Promise<void> {
  await execute(inject("postgres").url, sql);
}

async function execute(connectionString: string, sql: string): Promise<void> {
  const client = new pg.Client({ connectionString });
  await client.connect();
  try {
    await client.query(sql);
  } finally {
    await client.end();
  }
}

/** Names a database that does not exist yet. */
function newDatabase(): string {
  const name = `deckhand_prisma_${Date.now()}_${databases.length}`;
  databases.push(name);
  const url = new URL(inject("postgres").url);
  url.pathname = `/${name}`;
  return url.href;
}

/** The Prisma CLI as a developer runs it: nothing in the environment but the database. */
async function prisma(args: string[], databaseUrl?: string): Promise<string> {
  const env = {
    PATH: `${path.dirname(process.execPath)}:/usr/bin:/bin`,
    ...(databaseUrl && { DATABASE_URL: databaseUrl }),
  };
  const { stdout, stderr } = await run(process.execPath, [CLI, ...args], { cwd: project, env, timeout: TIMEOUT_MS });
  return stdout + stderr;
}

async function columnsOf(url: string, table: string): Promise<string[]> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    const sql = "SELECT column_name FROM information_schema.columns WHERE table_name = $1";
    return (await client.query<{ column_name: string }>(sql, [table])).rows.map((row) => row.column_name);
  } finally {
    await client.end();
  }
}

describe("Prisma without its engine download", { timeout: TIMEOUT_MS }, () => {
  it("generates the client without a database", async () => {
    await prisma(["generate"]);
    expect(await readdir(path.join(project, "src/generated"))).toContain("client.ts");
  });

  it("creates the database, deploys, reports status, and has nothing to do the second time", async () => {
    const url = newDatabase();
    expect(await prisma(["migrate", "deploy"], url)).toContain("All migrations have been successfully applied");
    expect(await prisma(["migrate", "status"], url)).toContain("Database schema is up to date");
    expect(await prisma(["migrate", "deploy"], url)).toContain("No pending migrations to apply");
  });

  it("develops a migration for an added column, on an empty database and on a migrated one", async () => {
    const schema = path.join(project, "prisma/schema.prisma");
    const original = await readFile(schema, "utf8");
    for (const prepare of [[], ["migrate", "deploy"]]) {
      const url = newDatabase();
      if (prepare.length > 0) await prisma(prepare, url);
      await writeFile(schema, original.replace("model Workspace {", "model Workspace {\n  extra Int?\n"));
      await prisma(["migrate", "dev", "--name", "extra"], url);
      const made = (await readdir(path.join(project, "prisma/migrations"))).filter((name) => name.endsWith("_extra"));
      expect(made).toHaveLength(1);
      expect(await columnsOf(url, "workspaces")).toContain("extra");
      await rm(path.join(project, "prisma/migrations", made[0] ?? ""), { recursive: true });
      await writeFile(schema, original);
    }
  });

  it("says why when the server can't be reached", async () => {
    const failed = prisma(["migrate", "status"], "postgresql://postgres@localhost/x?host=%2Fnowhere");
    await expect(failed).rejects.toMatchObject({ stderr: expect.stringContaining("P1001") });
  });
});

describe("migrateDeploy", { timeout: TIMEOUT_MS }, () => {
  it("is safe to run twice at once, and leaves what stock Prisma calls up to date", async () => {
    const url = newDatabase();
    await onServer(`CREATE DATABASE ${new URL(url).pathname.slice(1)}`);
    await Promise.all([migrateDeploy(url, log), migrateDeploy(url, log)]);
    const client = new pg.Client({ connectionString: url });
    await client.connect();
    expect(await pendingMigrations(client)).toEqual([]);
    const { rows } = await client.query("SELECT migration_name FROM _prisma_migrations");
    await client.end();
    expect(new Set(rows.map((row) => row.migration_name)).size).toBe(rows.length);
    expect(await prisma(["migrate", "status"], url)).toContain("Database schema is up to date");
  });

  it("gives Prisma's own words when a migration can't be applied", async () => {
    const url = newDatabase();
    await onServer(`CREATE DATABASE ${new URL(url).pathname.slice(1)}`);
    await execute(url, "CREATE TABLE workspaces (id text)");
    await expect(migrateDeploy(url, log)).rejects.toThrow(/P3005|not empty/);
  });
});
