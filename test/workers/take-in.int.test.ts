import Anthropic from "@anthropic-ai/sdk";
import { afterAll, beforeAll, expect, it } from "vitest";
import { accept } from "../../bots/shared/accept.ts";
import { createDatabaseChatRecords } from "../../bots/shared/chat-records-store.ts";
import { createPaceStore } from "../../bots/shared/pace-store.ts";
import type { ChatThreadKey } from "../../bots/shared/chat-thread.ts";
import { createDatabaseChatStore } from "../../bots/shared/database-chat-store.ts";
import { createDefaultAgent } from "../../bots/shared/default-agent.ts";
import { createThreadSessions } from "../../bots/shared/thread-sessions.ts";
import { createDatabase, type Database } from "../../src/database.ts";
import { connectQueue } from "../../src/queue/bullmq.ts";
import type { Queue } from "../../src/queue/queue.ts";
import { createTakeInHint, startTakeIn } from "../../workers/take-in.ts";
import { createChatMemory } from "../fakes/chat-source.ts";
import { createChatService } from "../fakes/chat-surface.ts";
import { type FlakyNetwork, startFlakyNetwork } from "../fakes/flaky-network.ts";
import { startApi, type TestApi } from "../support/api.ts";
import { SILENT } from "../support/silent-log.ts";

let api: TestApi;
let network: FlakyNetwork;
let database: Database;
let queue: Queue;
beforeAll(async () => {
  api = await startApi();
  network = await startFlakyNetwork(api.baseURL);
  const url = String(api.pool.options.connectionString);
  database = createDatabase(url, () => undefined);
  queue = await connectQueue({ type: "postgres", url }, SILENT);
});
afterAll(async () => {
  await queue.close();
  await network.close();
  await database.close();
  await api.stop();
});

let count = 0;
const newThread = (): ChatThreadKey => `slack:T1:C1:${++count}.0`;

async function keep(thread: ChatThreadKey, text: string, hint: (thread: ChatThreadKey) => Promise<void>) {
  const { inbox } = createDatabaseChatRecords(database);
  const item = { type: "message", personId: "U1", text, attachments: [], addressed: true, agentId: null } as const;
  const arrival = { thread, messageId: "m1", receiptId: null, item: { ...item, attachments: [], reactTo: "m1" } };
  await accept({ inbox, hint }, arrival);
}

function start(service: ReturnType<typeof createChatService>) {
  const store = createDatabaseChatStore(database);
  const client = new Anthropic({ baseURL: network.url, apiKey: api.key, maxRetries: 0 });
  return startTakeIn({
    client,
    chats: [{ surface: service.surface(), source: createChatMemory().source }],
    store,
    records: createDatabaseChatRecords(database),
    sessions: createThreadSessions({ client, threads: store.threads }),
    defaultAgent: createDefaultAgent({ client, model: "model-a", agentId: null }),
    ensureDelivery: async () => undefined,
    runCommand: async () => null,
    decide: async () => undefined,
    paces: createPaceStore(database),
    queue,
    log: SILENT,
  });
}

const acknowledged = (service: ReturnType<typeof createChatService>) => () => service.acknowledged.length > 0;

it("takes in a thread as soon as the queue says so", async () => {
  const service = createChatService();
  const running = await start(service);
  await keep(newThread(), "Hi", createTakeInHint(queue, SILENT));
  await service.until(acknowledged(service));
  await running.stop();
  expect(service.acknowledged).toEqual([{ messageId: "m1", how: "started" }]);
});

it("forgets paces that have long been at rest, and no others", async () => {
  await database.pool.query(
    "INSERT INTO chat_paces (key, next_at) VALUES ('old', now() - interval '1 day'), ('held', now() + interval '1 minute')",
  );
  await (await start(createChatService())).stop();
  const { rows } = await database.pool.query("SELECT key FROM chat_paces");
  expect(rows).toEqual([{ key: "held" }]);
});

it("finds what nobody was told of, and leaves threads of other surfaces alone", async () => {
  const service = createChatService();
  const other: ChatThreadKey = "teams:tenant-1:19:x@thread.tacv2;messageid=1";
  await keep(other, "Hi", async () => undefined);
  await keep(newThread(), "Hi", async () => undefined);
  const running = await start(service);
  await service.until(acknowledged(service));
  await running.stop();
  expect(await createDatabaseChatRecords(database).inbox.unsettled(["teams"], 10)).toEqual([other]);
});

it("comes back to what failed until the platform is there again", async () => {
  const service = createChatService();
  network.down();
  const running = await start(service);
  const thread = newThread();
  await keep(thread, "Later", createTakeInHint(queue, SILENT));
  await service.until(acknowledged(service));
  network.up();
  const { inbox, directory } = createDatabaseChatRecords(database);
  await expect.poll(() => directory.reading(thread), { timeout: 20_000 }).toMatchObject({ seenMessageId: "m1" });
  await running.stop();
  expect(await inbox.unsettled(["slack"], 10)).not.toContain(thread);
});

it("keeps what it could not hint at, and says so only in the log", async () => {
  const thread = newThread();
  await keep(thread, "Hi", createTakeInHint({ enqueue: () => Promise.reject(new Error("no queue")) }, SILENT));
  await keep(thread, "Hi", createTakeInHint({ enqueue: () => new Promise(() => undefined) }, SILENT));
  expect(await createDatabaseChatRecords(database).inbox.unsettled(["slack"], 10)).toContain(thread);
});
