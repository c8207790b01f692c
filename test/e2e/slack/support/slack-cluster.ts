import path from "node:path";
import Anthropic from "@anthropic-ai/sdk";
import { createDatabaseChatRecords } from "../../../../bots/shared/chat-records-store.ts";
import type { ChatRecords } from "../../../../bots/shared/chat-records.ts";
import { type Spawned, startProcess } from "../../../../bench/spawned.ts";
import { createDatabase } from "../../../../src/database.ts";
import { createTestHome, ROOT, type TestHome } from "../../support/test-home.ts";

const START_TIMEOUT_MS = 60_000;
/** What the machine's own environment must not say to these processes. */
const UNSET = ["DATABASE_URL", "REDIS_URL", "HOST", "DECKHAND_LEASE_MS", "SLACK_APP_TOKEN", "SLACK_SIGNING_SECRET"];

/** The roles that can be killed one by one. The API comes back where it was. */
export type SlackRole = "bots" | "worker" | "api";

/** Deckhand with Slack, as real processes in a home of its own: the API, the bots and a worker, each by itself. */
export interface SlackCluster extends Pick<TestHome, "home" | "model" | "database"> {
  client: Anthropic;
  /** What the bots remember, looked at and changed from outside, as an operator does. */
  records: ChatRecords;
  /** @throws when it does not run now */
  process(role: SlackRole): Spawned;
  /** SIGKILL. Resolves when it is dead. */
  kill(role: SlackRole): Promise<void>;
  /** Starts what was killed, and resolves when it is up. Nothing happens to one that runs. */
  start(role: SlackRole): Promise<void>;
  close(): Promise<void>;
}

/** @param slack the `SLACK_…` settings, and others that all processes get */
export async function startSlackCluster(slack: Record<string, string>): Promise<SlackCluster> {
  const testHome = await createTestHome(slack);
  try {
    return await clusterIn(testHome, slack);
  } catch (error) {
    await testHome.teardown.run();
    throw error;
  }
}

async function clusterIn(testHome: TestHome, given: Record<string, string>): Promise<SlackCluster> {
  const { home, model, database, settings, apiKey, teardown } = testHome;
  const api = await testHome.up("api", "0");
  const baseURL = api.url ?? "";
  const outside = createDatabase(await database.url(), () => undefined);
  teardown.add(() => outside.close());
  const running = new Map<SlackRole, Spawned>([["api", api.process]]);
  teardown.add(() => Promise.all([...running.values()].map((each) => each.kill("SIGTERM"))));

  const start = async (role: SlackRole) => {
    if (running.get(role)?.running) return;
    if (role === "api") {
      running.set(role, (await testHome.up(role, new URL(baseURL).port)).process);
      return;
    }
    const spawned = startProcess(path.join(ROOT, "deckhand"), ["up", "--role", role], {
      set: { ...settings, DECKHAND_URL: baseURL },
      unset: UNSET.filter((name) => !(name in given)),
    });
    running.set(role, spawned);
    await spawned.firstLine(/(Deckhand is up)/, START_TIMEOUT_MS);
  };
  await Promise.all([start("bots"), start("worker")]);

  const processOf = (role: SlackRole): Spawned => {
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
