import path from "node:path";
import Anthropic from "@anthropic-ai/sdk";
import { startPostgres } from "../src/embedded/postgres.ts";
import { createDatabase, type Database } from "../src/database.ts";
import { createLog } from "../src/log.ts";
import { startDeckhandProcess } from "./deckhand-process.ts";
import type { Bench } from "./figure.ts";
import { startModelProcess } from "./model-process.ts";
import { newApiKey } from "./names.ts";
import { removeContainers } from "./rig.ts";
import { type SlackProcess, startSlackProcess } from "./slack-process.ts";
import { BOT_TOKEN, SIGNING_SECRET } from "./slack-wire.ts";
import { freePort } from "../src/embedded/free-port.ts";

/** Deckhand with Slack in a new home, all roles in one process, and the processes it talks to. Torn down with the bench. */
export interface SlackRig {
  slack: SlackProcess;
  /** Where Deckhand takes Slack's events. */
  eventsUrl: string;
  client: Anthropic;
  /** Deckhand's own. */
  pool: Database["pool"];
}

export async function startSlackRig(bench: Bench): Promise<SlackRig> {
  const model = await startModelProcess();
  bench.teardown.add(() => model.stop());
  const slack = await startSlackProcess();
  bench.teardown.add(() => slack.stop());
  const home = path.join(bench.dir, "home");
  bench.teardown.add(() => removeContainers(home));
  const apiKey = newApiKey();
  const port = await freePort();
  const env = {
    SLACK_API_URL: slack.apiUrl,
    SLACK_BOT_TOKEN: BOT_TOKEN,
    SLACK_SIGNING_SECRET: SIGNING_SECRET,
    SLACK_PORT: String(port),
  };
  const { url, process } = await startDeckhandProcess({ root: bench.root, home, modelUrl: model.url, apiKey, env });
  bench.teardown.add(() => process.kill("SIGTERM"));
  if (url === null) throw new Error("The Deckhand under test has no API.");
  return {
    slack,
    eventsUrl: `http://127.0.0.1:${port}/slack/events`,
    client: new Anthropic({ baseURL: url, apiKey }),
    pool: await openPool(bench, home),
  };
}

/** Joins the server that Deckhand has started. */
async function openPool(bench: Bench, home: string): Promise<Database["pool"]> {
  const log = createLog("error");
  const postgres = await startPostgres({ dir: path.join(home, "postgres"), log, signal: bench.signal });
  bench.teardown.add(() => postgres.stop());
  const database = createDatabase(postgres.url, (error) => log.warn({ error: error.message }, "connection failed"));
  bench.teardown.add(() => database.close());
  return database.pool;
}
