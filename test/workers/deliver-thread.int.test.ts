import Anthropic from "@anthropic-ai/sdk";
import { pino } from "pino";
import { afterAll, beforeAll, expect, it } from "vitest";
import type { ChatStore } from "../../bots/shared/chat-store.ts";
import type { ChatThreadKey } from "../../bots/shared/chat-thread.ts";
import { createDatabaseChatRecords } from "../../bots/shared/chat-records-store.ts";
import { createDatabaseChatStore } from "../../bots/shared/database-chat-store.ts";
import { createDatabase, type Database } from "../../src/database.ts";
import { connectQueue } from "../../src/queue/bullmq.ts";
import type { Queue } from "../../src/queue/queue.ts";
import { startDeliverer } from "../../workers/deliver-thread.ts";
import { createChatService } from "../fakes/chat-surface.ts";
import { createPlayedTurns, idleEvent, said } from "../fakes/played-turns.ts";
import { createSession, startApi, type TestApi, userMessage } from "../support/api.ts";

const log = pino({ level: "silent" });
let api: TestApi;
let database: Database;
let store: ChatStore;
let queue: Queue;
beforeAll(async () => {
  api = await startApi();
  const url = String(api.pool.options.connectionString);
  database = createDatabase(url, () => undefined);
  store = createDatabaseChatStore(database);
  queue = await connectQueue({ type: "postgres", url }, log);
});
afterAll(async () => {
  await queue.close();
  await database.close();
  await api.stop();
});

let count = 0;
async function threadWithAnswer(surface: "slack" | "terminal", answer: string): Promise<ChatThreadKey> {
  const key: ChatThreadKey = surface === "slack" ? `slack:T1:C9:${++count}.0` : `terminal:t${++count}`;
  const session = await createSession(api.client);
  await store.threads.open(key);
  await store.threads.reserveSession(key, "test", 60_000);
  await store.threads.bindSession(key, "test", session.id);
  await api.client.beta.sessions.events.send(session.id, { events: [userMessage("go")] });
  const turns = createPlayedTurns(api.eventLog);
  await turns.takeUp(session.id);
  await turns.commit(session.id, said(answer), idleEvent());
  await store.deliveries.wake(key);
  return key;
}

const start = (service: ReturnType<typeof createChatService>, apiKey = api.key) =>
  startDeliverer({
    client: new Anthropic({ baseURL: api.baseURL, apiKey, maxRetries: 0 }),
    store,
    records: createDatabaseChatRecords(database),
    surfaces: [service.surface()],
    queue,
    log,
  });

it("delivers a thread when the queue says so", async () => {
  const service = createChatService();
  const deliverer = await start(service);
  const key = await threadWithAnswer("slack", "Told.");
  await queue.enqueue("deliver-thread", { chat_thread_key: key });
  await service.until(() => service.words().includes("Told."));
  await deliverer.stop();
  expect(service.words()).toEqual(["Told."]);
});

it("finds a thread whose hint was lost", async () => {
  await threadWithAnswer("slack", "Found.");
  const service = createChatService();
  const deliverer = await start(service);
  await service.until(() => service.words().includes("Found."));
  await deliverer.stop();
  expect(service.words()).toEqual(["Found."]);
});

it("takes over a thread whose deliverer died, when its lease has run out", async () => {
  const key = await threadWithAnswer("slack", "Taken over.");
  await store.deliveries.lease(key, "dead", 500);
  const service = createChatService();
  const deliverer = await start(service);
  await service.until(() => service.words().includes("Taken over."));
  await deliverer.stop();
  expect(service.words()).toEqual(["Taken over."]);
});

it("sweeps a thread that fails for good less and less often, and delivers it when it is woken after that is mended", async () => {
  const key = await threadWithAnswer("slack", "At last.");
  const postponedUntil = async () => {
    const { leaseOwner, leaseUntil } = await database.prisma.chatThread.findUniqueOrThrow({ where: { key } });
    return leaseOwner === null && leaseUntil !== null ? leaseUntil.getTime() : 0;
  };
  const service = createChatService();
  const refused = await start(service, "not-the-key");
  await expect.poll(postponedUntil, { timeout: 10_000 }).toBeGreaterThan(0);
  const first = await postponedUntil();
  expect(await store.deliveries.undelivered(["slack"], 1_000)).not.toContain(key);
  await queue.enqueue("deliver-thread", { chat_thread_key: key });
  await expect.poll(postponedUntil, { timeout: 10_000 }).toBeGreaterThan(first);
  expect((await postponedUntil()) - first).toBeGreaterThanOrEqual(4_000);
  await refused.stop();
  const deliverer = await start(service);
  await store.deliveries.wake(key);
  await service.until(() => service.words().includes("At last."));
  await deliverer.stop();
  expect(service.words()).toEqual(["At last."]);
});

it("leaves the threads of other surfaces to the processes that have them", async () => {
  const other = await threadWithAnswer("terminal", "Not here.");
  const service = createChatService();
  const deliverer = await start(service);
  await queue.enqueue("deliver-thread", { chat_thread_key: other });
  const ours = await threadWithAnswer("slack", "Here.");
  await queue.enqueue("deliver-thread", { chat_thread_key: ours });
  await service.until(() => service.words().includes("Here."));
  await deliverer.stop();
  expect(service.words()).toEqual(["Here."]);
  expect((await store.threads.open(other)).busy).toBe(true);
});
