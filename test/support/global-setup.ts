import path from "node:path";
import type { TestProject } from "vitest/node";
import { loadConfig } from "../../src/config.ts";
import { startPostgres } from "../../src/embedded/postgres.ts";
import { createLog } from "../../src/log.ts";
import { createTemplate } from "./database.ts";

const ROOT = path.resolve(import.meta.dirname, "../..");
const START_TIMEOUT_MS = 60_000;

/** `TEST_DATABASE_URL` names a server to use; without it the embedded one runs beside the developer's own data. */
export default async function setup(project: TestProject) {
  const server = await testServer();
  const { template, drop } = await createTemplate(server.url);
  project.provide("postgres", { url: server.url, template });
  return async () => {
    await drop();
    await server.stop();
  };
}

async function testServer(): Promise<{ url: string; stop(): Promise<void> }> {
  const url = process.env["TEST_DATABASE_URL"];
  if (url) return { url, stop: async () => {} };
  const dir = path.join(loadConfig(ROOT).home, "test-postgres");
  return startPostgres({ dir, log: createLog("warn"), signal: AbortSignal.timeout(START_TIMEOUT_MS) });
}
