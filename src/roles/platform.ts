import { randomUUID } from "node:crypto";
import path from "node:path";
import type { Config } from "../config.ts";
import type { Database } from "../database.ts";
import { createFileStore } from "../files/file-store.ts";
import { createFiles, type Files } from "../files/files.ts";
import { createLocalDiskBlobStore } from "../files/local-disk.ts";
import type { Logger } from "../log.ts";
import { createAnthropicProvider } from "../models/anthropic.ts";
import type { ModelProvider } from "../models/model-provider.ts";
import { createOpenAiCompatibleProvider } from "../models/openai-compatible.ts";
import { createModelRegistry, type ModelRegistry } from "../models/registry.ts";
import { createScriptedProvider } from "../models/scripted.ts";
import { defaultScripts } from "../models/scripts/default-scripts.ts";
import { connectQueue } from "../queue/bullmq.ts";
import { localFirst } from "../queue/local-first.ts";
import type { Queue } from "../queue/queue.ts";
import { createEventLog, type EventLog } from "../sessions/event-log.ts";
import { createRunHint } from "../sessions/run-hint.ts";
import type { Wakeups } from "../sessions/wakeups.ts";
import { connectPostgresWakeups } from "../sessions/wakeups-postgres.ts";
import { connectRedisWakeups } from "../sessions/wakeups-redis.ts";
import { Teardown } from "../teardown.ts";
import { checkNamedServices } from "./named-services.ts";
import { openDatabase } from "./open-database.ts";

const REDIS_PREFIX = "deckhand";

/** What every role stands on: the database, the log, the queue, the files, the models. */
export interface Platform {
  config: Config;
  database: Database;
  queue: Queue;
  wakeups: Wakeups;
  eventLog: EventLog;
  files: Files;
  models: ModelRegistry;
  /** Asks the workers to look at a session. Never throws: the sweeper finds what a lost hint would have told. */
  hintRun(sessionId: string, delayMs?: number): Promise<void>;
  /** Names this process in leases. */
  processId: string;
  log: Logger;
  /** Closes what `openPlatform` opened, last opened first. */
  close(): Promise<void>;
}

/** Connects to what the configuration names, and starts what it does not name. Undoes all of it when a part fails. */
export async function openPlatform(config: Config, log: Logger, signal: AbortSignal): Promise<Platform> {
  const opened = new Teardown();
  try {
    await checkNamedServices(config, signal);
    const { database, close } = await openDatabase(config, log, signal);
    opened.add(close);
    const { url } = database;

    const wakeups = config.redisUrl
      ? await connectRedisWakeups(config.redisUrl, REDIS_PREFIX, log)
      : await connectPostgresWakeups(url, log);
    opened.add(() => wakeups.close());

    const backend = config.redisUrl
      ? ({ type: "redis", url: config.redisUrl, prefix: REDIS_PREFIX } as const)
      : ({ type: "postgres", url } as const);
    const queue = localFirst(await connectQueue(backend, log), log);
    opened.add(() => queue.close());

    const blobs = await createLocalDiskBlobStore(path.join(config.home, "blobs"));
    return {
      config,
      database,
      queue,
      wakeups,
      eventLog: createEventLog(database.pool, wakeups),
      files: createFiles({ store: createFileStore(database.prisma), blobs, log }),
      models: openModels(config, log),
      hintRun: createRunHint(queue, log),
      processId: randomUUID(),
      log,
      close: () => opened.run(),
    };
  } catch (error) {
    await opened.run();
    throw error;
  }
}

function openModels(config: Config, log: Logger): ModelRegistry {
  const models = createModelRegistry(modelProviders(config, log), config.modelPrices);
  const unknown = Object.keys(config.modelPrices).filter((id) => models.find(id) === null);
  if (unknown.length > 0) log.warn({ models: unknown }, "DECKHAND_MODEL_PRICES names models that nobody serves");
  return models;
}

/** The scripted model is always there: it needs no key and no network, and says in every message what it is. */
function modelProviders({ anthropic: { apiKey, baseUrl }, openAi }: Config, log: Logger): ModelProvider[] {
  return [
    ...(apiKey === null ? [] : [createAnthropicProvider({ apiKey, baseUrl })]),
    ...(openAi === null ? [] : [createOpenAiCompatibleProvider(openAi)]),
    createScriptedProvider({ scripts: defaultScripts(), log }),
  ];
}
