import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import Anthropic from "@anthropic-ai/sdk";
import { type Spawned, startProcess } from "../../../bench/spawned.ts";
import { isMissing } from "../../../src/embedded/file-errors.ts";
import { pollUntil } from "../../../src/embedded/poll.ts";
import type { CrashPointName } from "../../../src/harness/crash-points.ts";
import { newSession, sendText } from "./conversation.ts";
import { createTestHome, type TestHome } from "./test-home.ts";

const WORKERS = 2;
const UNSET = ["DATABASE_URL", "REDIS_URL", "DECKHAND_LEASE_MS"];
const START_TIMEOUT_MS = 150_000;
const WAIT = { timeoutMs: 60_000, signal: AbortSignal.any([]) };

/** Deckhand as real processes in a home of its own: one API, two workers that die on demand, a fake model API. */
export interface Cluster extends Pick<TestHome, "home" | "model" | "database" | "close"> {
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
}

export async function startCluster(env: Record<string, string> = {}): Promise<Cluster> {
  const testHome = await createTestHome(env);
  try {
    return await clusterIn(testHome, env);
  } catch (error) {
    await testHome.teardown.run();
    throw error;
  }
}

async function clusterIn(testHome: TestHome, env: Record<string, string>): Promise<Cluster> {
  const { home, model, database, settings, apiKey, teardown } = testHome;
  const orders = path.join(testHome.dir, "orders");
  await mkdir(orders);
  let api = await testHome.up("api", "0");
  const baseURL = api.url ?? "";
  const client = new Anthropic({ baseURL, apiKey });

  const running = new Set<Spawned>();
  teardown.add(() => Promise.all([...running].map((worker) => worker.kill("SIGTERM"))));
  const startWorker = async () => {
    const program = path.join(import.meta.dirname, "crashing-worker.ts");
    const unset = UNSET.filter((name) => !(name in env));
    const worker = startProcess("node", [program, orders], { set: settings, unset });
    running.add(worker);
    void worker.ended.then(() => running.delete(worker));
    await worker.firstLine(/(The worker is up)/, START_TIMEOUT_MS);
  };
  const startMissingWorkers = async () => {
    await Promise.all(Array.from({ length: WORKERS - running.size }, startWorker));
  };
  await startMissingWorkers();

  return {
    home,
    model,
    database,
    client,
    api: () => api.process,
    async restartApi() {
      api = await testHome.up("api", new URL(baseURL).port);
    },
    workers: () => [...running],
    startMissingWorkers,
    async dieAt(point) {
      const ends = [...running].map((worker) => worker.ended);
      await writeFile(path.join(orders, `${point}.die`), "");
      return { died: Promise.race(ends).then(() => Date.now()) };
    },
    async watch(point) {
      await writeFile(path.join(orders, `${point}.tell`), "");
      return { worker: whoCameTo(point, orders, running) };
    },
    createSession: () => newSession(client),
    send: (sessionId, text) => sendText(client, sessionId, text),
    close: testHome.close,
  };
}

async function whoCameTo(point: CrashPointName, orders: string, running: ReadonlySet<Spawned>): Promise<Spawned> {
  const told = path.join(orders, `${point}.pid`);
  const find = async () => {
    const pid = await readFile(told, "utf8").catch((error: unknown) => {
      if (isMissing(error)) return undefined;
      throw error;
    });
    return [...running].find((worker) => String(worker.pid) === pid);
  };
  const worker = await pollUntil(`a worker at ${point}`, find, WAIT);
  await rm(told, { force: true });
  return worker;
}
