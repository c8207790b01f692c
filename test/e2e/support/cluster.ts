import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import Anthropic from "@anthropic-ai/sdk";
import { startDeckhandProcess } from "../../../bench/deckhand-process.ts";
import { findInstallation } from "../../../bench/installation.ts";
import { MODEL, newApiKey } from "../../../bench/names.ts";
import { type Spawned, startProcess } from "../../../bench/spawned.ts";
import { isMissing } from "../../../src/embedded/file-errors.ts";
import { pollUntil } from "../../../src/embedded/poll.ts";
import type { CrashPointName } from "../../../src/harness/crash-points.ts";
import { Teardown } from "../../../src/teardown.ts";
import { SANDBOX_IMAGE } from "../../support/sandbox-image.ts";
import { type ScriptedModel, startScriptedModel } from "./scripted-model.ts";
import { type Database, databaseOf } from "./session-log.ts";

const ROOT = path.resolve(import.meta.dirname, "../../..");
const WORKERS = 2;
const UNSET = ["DATABASE_URL", "REDIS_URL", "DECKHAND_LEASE_MS"];
const START_TIMEOUT_MS = 60_000;
const WAIT_TIMEOUT_MS = 60_000;

/** Deckhand as real processes in a home of its own: one API, two workers that die on demand, a fake model API. */
export interface Cluster {
  home: string;
  model: ScriptedModel;
  database: Database;
  client: Anthropic;
  /** The API's process. */
  api(): Spawned;
  /** Starts the API again, where it was. */
  restartApi(): Promise<void>;
  /** Those that run. */
  workers(): Spawned[];
  /** As many as there should be. */
  startMissingWorkers(): Promise<void>;
  /** Has the first worker that comes to this point die there. Resolves with the time of death, ms since the epoch. */
  dieAt(point: CrashPointName): Promise<{ died: Promise<number> }>;
  /** Finds out which worker is the first to come to this point. */
  watch(point: CrashPointName): Promise<{ worker: Promise<Spawned> }>;
  createSession(): Promise<string>;
  send(sessionId: string, text: string): Promise<void>;
  /** Waits, without the API, until the session has come to its `count`-th idle. */
  idle(sessionId: string, count: number): Promise<void>;
  /** @throws when a request was made that the Messages API refuses */
  close(): Promise<void>;
}

export async function startCluster(env: Record<string, string> = {}): Promise<Cluster> {
  const teardown = new Teardown();
  const dir = await mkdtemp(path.join(tmpdir(), "deckhand-e2e-"));
  teardown.add(() => rm(dir, { recursive: true, force: true }));
  const home = path.join(dir, "home");
  const orders = path.join(dir, "orders");
  await mkdir(orders);
  teardown.add(async () => (await findInstallation(home)).remove());
  const model = await startScriptedModel();
  teardown.add(() => model.close());
  const apiKey = newApiKey();
  const settings = {
    ANTHROPIC_API_KEY: model.apiKey,
    DECKHAND_SANDBOX_IMAGE: SANDBOX_IMAGE,
    DECKHAND_SANDBOX_POOL: "1",
    ...env,
  };
  const unset = UNSET.filter((name) => !(name in env));
  const startApi = (port: string) =>
    startDeckhandProcess({
      root: ROOT,
      home,
      modelUrl: model.url,
      apiKey,
      role: "api",
      env: { ...settings, PORT: port },
    });
  const running = new Set<Spawned>();
  let api = await startApi("0");
  const url = api.url ?? "";
  teardown.add(() => api.process.kill("SIGTERM"));
  teardown.add(() => Promise.all([...running].map((worker) => worker.kill("SIGTERM"))));

  const startWorker = async () => {
    const set = { ...settings, DECKHAND_HOME: home, DECKHAND_API_KEY: apiKey, ANTHROPIC_BASE_URL: model.url };
    const program = path.join(import.meta.dirname, "crashing-worker.ts");
    const worker = startProcess("node", [program, orders], {
      set: { ...set, LOG_LEVEL: "warn" },
      unset,
    });
    running.add(worker);
    void worker.ended.then(() => running.delete(worker));
    await worker.firstLine(/(The worker is up)/, START_TIMEOUT_MS);
  };
  const client = new Anthropic({ baseURL: url, apiKey });
  const database = databaseOf(home);
  const wait = { timeoutMs: WAIT_TIMEOUT_MS, signal: AbortSignal.any([]) };

  const cluster: Cluster = {
    home,
    model,
    database,
    client,
    api: () => api.process,
    async restartApi() {
      api = await startApi(new URL(url).port);
    },
    workers: () => [...running],
    async startMissingWorkers() {
      await Promise.all(Array.from({ length: WORKERS - running.size }, startWorker));
    },
    async dieAt(point) {
      const ends = [...running].map((worker) => worker.ended);
      await writeFile(path.join(orders, `${point}.die`), "");
      return { died: Promise.race(ends).then(() => Date.now()) };
    },
    async watch(point) {
      const told = path.join(orders, `${point}.pid`);
      await writeFile(path.join(orders, `${point}.tell`), "");
      const find = async () => {
        const pid = await readFile(told, "utf8").catch((error: unknown) => {
          if (isMissing(error)) return undefined;
          throw error;
        });
        return [...running].find((worker) => String(worker.pid) === pid);
      };
      const found = async () => {
        const worker = await pollUntil(`a worker at ${point}`, find, wait);
        await rm(told, { force: true });
        return worker;
      };
      return { worker: found() };
    },
    async createSession() {
      const agent = await client.beta.agents.create({
        name: "survivor",
        model: MODEL,
        tools: [{ type: "agent_toolset_20260401" }],
      });
      const environment = await client.beta.environments.create({ name: "any" });
      return (await client.beta.sessions.create({ agent: agent.id, environment_id: environment.id })).id;
    },
    async send(sessionId, text) {
      await client.beta.sessions.events.send(sessionId, {
        events: [{ type: "user.message", content: [{ type: "text", text }] }],
      });
    },
    async idle(sessionId, count) {
      const reached = async () => {
        const log = await database.log(sessionId);
        return log.filter(({ event }) => event.type === "session.status_idle").length >= count || undefined;
      };
      await pollUntil(`session ${sessionId} to be idle`, reached, wait);
    },
    async close() {
      await teardown.run();
      if (model.violations.length > 0) throw new Error(`Refused model requests:\n${model.violations.join("\n")}`);
    },
  };
  try {
    await cluster.startMissingWorkers();
    return cluster;
  } catch (error) {
    await teardown.run();
    throw error;
  }
}
