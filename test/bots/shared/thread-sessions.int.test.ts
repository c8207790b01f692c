import Anthropic from "@anthropic-ai/sdk";
import { afterAll, beforeAll, expect, it } from "vitest";
import type { ChatStore } from "../../../bots/shared/chat-store.ts";
import type { ChatThreadKey } from "../../../bots/shared/chat-thread.ts";
import { createDatabaseChatStore } from "../../../bots/shared/database-chat-store.ts";
import { type ChatAgent, findChatAgent } from "../../../bots/shared/default-agent.ts";
import { createThreadSessions } from "../../../bots/shared/thread-sessions.ts";
import { createDatabase, type Database } from "../../../src/database.ts";
import { type FlakyNetwork, startFlakyNetwork } from "../../fakes/flaky-network.ts";
import { startApi, type TestApi } from "../../support/api.ts";

const { signal } = new AbortController();
let api: TestApi;
let network: FlakyNetwork;
let client: Anthropic;
let database: Database;
let store: ChatStore;
let agent: ChatAgent;
beforeAll(async () => {
  api = await startApi();
  network = await startFlakyNetwork(api.baseURL);
  client = new Anthropic({ baseURL: network.url, apiKey: api.key, maxRetries: 0 });
  database = createDatabase(String(api.pool.options.connectionString), () => undefined);
  store = createDatabaseChatStore(database);
  agent = await findChatAgent({ client: api.client, model: "model-a", agentId: null }, signal);
});
afterAll(async () => {
  await network.close();
  await database.close();
  await api.stop();
});

let count = 0;
const newThread = (): ChatThreadKey => `slack:T1:C2:${++count}.0`;
const open = (reservationMs = 60_000) => createThreadSessions({ client, threads: store.threads, reservationMs });
const plan = () => ({ ...agent, title: "Hi" });

async function sessionsOf(thread: ChatThreadKey) {
  const listed = await api.client.beta.sessions.list({ limit: 100, include_archived: true });
  return listed.data.filter((session) => session.metadata["chat_thread"] === thread);
}

it("finds the same default agent and environment each time, and another agent for another model", async () => {
  const again = await findChatAgent({ client, model: "model-a", agentId: null }, signal);
  const other = await findChatAgent({ client, model: "model-b", agentId: null }, signal);
  expect(again).toEqual(agent);
  expect(other.environmentId).toBe(agent.environmentId);
  expect(other.agentId).not.toBe(agent.agentId);
});

it("takes the model that the server lists first when none is named, and the agent that is named", async () => {
  expect((await findChatAgent({ client, model: null, agentId: null }, signal)).model).toBe("model-c");
  const named = await client.beta.agents.create({ name: "Mine", model: "model-b" });
  expect(await findChatAgent({ client, model: "model-a", agentId: named.id }, signal)).toMatchObject({
    agentId: named.id,
    model: "model-b",
  });
});

it("makes one session of many first messages at the same moment, also from several processes", async () => {
  const thread = newThread();
  const asked = [open(), open(), open()].flatMap((sessions) =>
    [1, 2, 3].map(() => sessions.ensure(thread, plan(), signal)),
  );
  expect(new Set(await Promise.all(asked)).size).toBe(1);
  expect(await sessionsOf(thread)).toHaveLength(1);
});

it("adopts the session of a creator that died before it could say so", async () => {
  const thread = newThread();
  const lost = network.loseAnswer("POST", /^\/v1\/sessions$/);
  await expect(open().ensure(thread, plan(), signal)).rejects.toThrow(Anthropic.APIConnectionError);
  await lost;
  const sessionId = await open().ensure(thread, plan(), signal);
  expect((await sessionsOf(thread)).map(({ id }) => id)).toEqual([sessionId]);
});

it("goes on when a creator died holding the reservation", async () => {
  const thread = newThread();
  await store.threads.open(thread);
  await store.threads.reserveSession(thread, "dead", 50);
  const sessionId = await open().ensure(thread, plan(), signal);
  expect(await open().current(thread)).toBe(sessionId);
});

it("archives a session that was made too late, and gives out the one that was in time", async () => {
  const thread = newThread();
  const slow = createThreadSessions({
    client,
    threads: {
      ...store.threads,
      bindSession: async (key, owner, sessionId) => {
        await store.threads.cancelReservation(key, owner);
        await store.threads.reserveSession(key, "faster", 60_000);
        await store.threads.bindSession(key, "faster", "sesn_in_time");
        return store.threads.bindSession(key, owner, sessionId);
      },
    },
  });
  expect(await slow.ensure(thread, plan(), signal)).toBe("sesn_in_time");
  expect((await sessionsOf(thread)).map(({ archived_at }) => archived_at !== null)).toEqual([true]);
});

it("starts a session of its own after the thread has left one, whatever the old one is called", async () => {
  const thread = newThread();
  const first = await open().ensure(thread, plan(), signal);
  await open().detach(thread, first);
  await store.threads.open(thread);
  await store.threads.reserveSession(thread, "dead", 0);
  const second = await open().ensure(thread, plan(), signal);
  expect(second).not.toBe(first);
});

it("stops waiting for another creator when the signal aborts", async () => {
  const thread = newThread();
  await store.threads.open(thread);
  await store.threads.reserveSession(thread, "alive", 60_000);
  const reason = new Error("enough");
  const aborting = new AbortController();
  const waiting = open().ensure(thread, plan(), aborting.signal);
  aborting.abort(reason);
  await expect(waiting).rejects.toBe(reason);
});
