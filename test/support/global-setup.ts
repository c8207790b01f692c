import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
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
  return {
    url: postgres.url,
    async stop() {
      await postgres.stop();
      await rm(dir, { recursive: true });
    },
  };
}
