import { randomBytes } from "node:crypto";
import { readdir, readFile } from "node:fs/promises";
import pg from "pg";
import { inject } from "vitest";

declare module "vitest" {
  interface ProvidedContext {
    /** A server, and a migrated database on it to copy. */
    postgres: { url: string; template: string };
  }
}

export interface TestDatabase {
  url: string;
  /** False ends all connections and refuses new ones, as a server does that is being restarted. */
  allowConnections(allowed: boolean): Promise<void>;
  /** Also closes what is still connected. */
  drop(): Promise<void>;
}

const MIGRATIONS = new URL("../../prisma/migrations/", import.meta.url);

/** A migrated, empty database for one test file. Costs a file copy, not a migration. */
export const createTestDatabase = () => createDatabaseFrom(inject("postgres").template);

/** One that the test itself migrates, as a start of Deckhand does. */
export const createUnmigratedDatabase = () => createDatabaseFrom("template1");

async function createDatabaseFrom(template: string): Promise<TestDatabase> {
  const { url } = inject("postgres");
  const name = randomName();
  await onServer(url, `CREATE DATABASE ${name} TEMPLATE ${template}`);
  return {
    url: databaseUrl(url, name),
    async allowConnections(allowed) {
      await onServer(url, `ALTER DATABASE ${name} WITH ALLOW_CONNECTIONS ${allowed}`);
      if (!allowed) {
        await onServer(url, `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '${name}'`);
      }
    },
    drop: () => onServer(url, `DROP DATABASE IF EXISTS ${name} WITH (FORCE)`),
  };
}

/** For the global setup, once per run. */
export async function createTemplate(url: string): Promise<{ template: string; drop(): Promise<void> }> {
  const template = `${randomName()}_template`;
  await onServer(url, `CREATE DATABASE ${template}`);
  for (const entry of (await readdir(MIGRATIONS, { withFileTypes: true })).toSorted((a, b) =>
    a.name < b.name ? -1 : 1,
  )) {
    if (!entry.isDirectory()) continue;
    await onServer(
      databaseUrl(url, template),
      await readFile(new URL(`${entry.name}/migration.sql`, MIGRATIONS), "utf8"),
    );
  }
  return { template, drop: () => onServer(url, `DROP DATABASE IF EXISTS ${template} WITH (FORCE)`) };
}

/** Names are our own, so that many runs can share a server. */
const randomName = () => `deckhand_test_${randomBytes(6).toString("hex")}`;

function databaseUrl(server: string, name: string): string {
  const url = new URL(server);
  url.pathname = `/${name}`;
  return url.href;
}

async function onServer(url: string, sql: string): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    await client.query(sql);
  } finally {
    await client.end();
  }
}
