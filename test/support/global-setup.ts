import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import pg from "pg";
import { pino } from "pino";
import type { TestProject } from "vitest/node";
import { startPostgres } from "../../src/embedded/postgres.ts";
import { createTemplate } from "./database.ts";

/** Real Postgres for the whole run: the one `TEST_DATABASE_URL` names, else one of our own, started here. */
export default async function setup(project: TestProject) {
  // oxlint-disable-next-line node/no-process-env -- a setting of the tests, not of the product
  const given = process.env["TEST_DATABASE_URL"];
  const server = given ? { url: given, stop: async () => undefined } : await startOwn();
  const { template, drop } = await createTemplate(server.url);
  project.provide("postgres", { url: server.url, template });
  return async () => {
    await drop();
    await server.stop();
  };
}

async function startOwn() {
  const dir = await mkdtemp(path.join(tmpdir(), "dh-pg-"));
  const postgres = await startPostgres({ dir, log: pino({ level: "silent" }), signal: AbortSignal.any([]) });
  await dontWaitForTheDisk(postgres.url);
  return {
    url: postgres.url,
    async stop() {
      await postgres.stop();
      await rm(dir, { recursive: true });
    },
  };
}

/** Hundreds of databases are made and dropped on it, and none is looked at after a crash of the machine. */
async function dontWaitForTheDisk(url: string): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  for (const setting of ["fsync", "synchronous_commit", "full_page_writes"]) {
    await client.query(`ALTER SYSTEM SET ${setting} = off`);
  }
  await client.query("SELECT pg_reload_conf()");
  await client.end();
}
