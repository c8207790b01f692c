import path from "node:path";
import Anthropic from "@anthropic-ai/sdk";
import { createDatabaseChatRecords } from "../../../bots/shared/chat-records-store.ts";
import type { ChatRecords } from "../../../bots/shared/chat-records.ts";
import { type Spawned, startProcess } from "../../../bench/spawned.ts";
import { createDatabase } from "../../../src/database.ts";
import { createTestHome, ROOT, type TestHome } from "./test-home.ts";

const START_TIMEOUT_MS = 150_000;
/** What the machine's own environment must not say to these processes. */
const UNSET = /^(?:DATABASE_URL|REDIS_URL|HOST|DECKHAND_LEASE_MS|(?:SLACK|TEAMS|MICROSOFT)_.*)$/;

/** The roles that can be killed one by one. The API comes back where it was. */
export type ChatRole = "bots" | "worker" | "api" | "gateway";

/**
 * Deckhand with a chat, as real processes in a home of its own: the API, the bots and a worker, each by itself. The gateway
 * is another one, for who starts it: without it sandboxes work, and reach nothing.
 */
export interface ChatCluster extends Pick<TestHome, "home" | "model" | "database"> {
  client: Anthropic;
  /** What the bots remember, looked at and changed from outside, as an operator does. */
  records: ChatRecords;
  /** @throws when it does not run now */
  process(role: ChatRole): Spawned;
  /** SIGKILL. Resolves when it is dead. */
  kill(role: ChatRole): Promise<void>;
  /** Starts what was killed, and resolves when it is up. Nothing happens to one that runs. */
  start(role: ChatRole): Promise<void>;
  close(): Promise<void>;
}

/** @param chat the chat's settings, and others that all processes get */
export async function startChatCluster(chat: Record<string, string>): Promise<ChatCluster> {
  const testHome = await createTestHome(chat);
  try {
    return await clusterIn(testHome, chat);
  } catch (error) {
    await testHome.teardown.run();
    throw error;
  }
}

async function clusterIn(testHome: TestHome, given: Record<string, string>): Promise<ChatCluster> {
  const { home, model, database, settings, apiKey, teardown } = testHome;
  const api = await testHome.up("api", "0");
  const baseURL = api.url ?? "";
  const outside = createDatabase(await database.url(), () => undefined);
  teardown.add(() => outside.close());
  const running = new Map<ChatRole, Spawned>([["api", api.process]]);
  teardown.add(() => Promise.all([...running.values()].map((each) => each.kill("SIGTERM"))));

  const start = async (role: ChatRole) => {
    if (running.get(role)?.running) return;
    if (role === "api") {
      running.set(role, (await testHome.up(role, new URL(baseURL).port)).process);
      return;
    }
    const spawned = startProcess(path.join(ROOT, "deckhand"), ["up", "--role", role], {
      set: { ...settings, DECKHAND_URL: baseURL },
      unset: Object.keys(process.env).filter((name) => UNSET.test(name) && !(name in given)),
    });
    running.set(role, spawned);
    await spawned.firstLine(/(Deckhand is up)/, START_TIMEOUT_MS);
  };
  await Promise.all([start("bots"), start("worker")]);

  const processOf = (role: ChatRole): Spawned => {
    const spawned = running.get(role);
    if (!spawned?.running) throw new Error(`The ${role} role does not run.`);
    return spawned;
  };
  return {
    home,
    model,
    database,
    client: new Anthropic({ baseURL, apiKey }),
    records: createDatabaseChatRecords(outside),
    process: processOf,
    kill: (role) => processOf(role).kill("SIGKILL"),
    start,
    close: testHome.close,
  };
}
