import { afterAll, beforeAll, expect, it } from "vitest";
import type { ChatStore } from "../../../bots/shared/chat-store.ts";
import type { ChatThreadKey } from "../../../bots/shared/chat-thread.ts";
import { createDatabaseChatStore } from "../../../bots/shared/database-chat-store.ts";
import { interrupt } from "../../../bots/shared/interrupt.ts";
import { createDatabase, type Database } from "../../../src/database.ts";
import { createPlayedTurns, event, idleEvent, said } from "../../fakes/played-turns.ts";
import { createSession, startApi, type TestApi, userMessage } from "../../support/api.ts";

const { signal } = new AbortController();
let api: TestApi;
let database: Database;
let store: ChatStore;
let turns: ReturnType<typeof createPlayedTurns>;
beforeAll(async () => {
  api = await startApi();
  database = createDatabase(String(api.pool.options.connectionString), () => undefined);
  store = createDatabaseChatStore(database);
  turns = createPlayedTurns(api.eventLog);
});
afterAll(async () => {
  await database.close();
  await api.stop();
});

let count = 0;
async function openSession() {
  const thread: ChatThreadKey = `slack:T1:C5:${++count}.0`;
  const { id } = await createSession(api.client);
  await store.threads.open(thread);
  const hinted: string[] = [];
  const deps = { client: api.client, store, ensureDelivery: async (key: ChatThreadKey) => void hinted.push(key) };
  return {
    id,
    thread,
    hinted,
    write: (text: string) => api.client.beta.sessions.events.send(id, { events: [userMessage(text)] }),
    stop: (sessionId = id) => interrupt(deps, thread, sessionId, signal),
    interrupts: async () => (await api.client.beta.sessions.events.list(id, { types: ["user.interrupt"] })).data.length,
  };
}

it("ends a turn that runs, and has the end of it delivered", async () => {
  const session = await openSession();
  await session.write("Start");
  await turns.takeUp(session.id);
  await turns.commit(session.id, said("I look at it."));
  expect(await session.stop()).toBe(true);
  expect(await session.interrupts()).toBe(1);
  expect(session.hinted).toEqual([session.thread]);
  expect((await store.threads.open(session.thread)).busy).toBe(true);
});

it("reaches a message that no harness has taken up, also after an earlier turn", async () => {
  const session = await openSession();
  await session.write("Start");
  expect(await session.stop()).toBe(true);
  await turns.takeUp(session.id);
  await turns.commit(session.id, idleEvent());
  expect(await session.stop()).toBe(false);
  await session.write("More");
  expect(await session.stop()).toBe(true);
});

it("ends a session's wait for an approval", async () => {
  const session = await openSession();
  await session.write("Start");
  await turns.takeUp(session.id);
  await turns.commit(session.id, idleEvent("requires_action"));
  expect(await session.stop()).toBe(true);
});

it("ends a wait for another try of the model", async () => {
  const session = await openSession();
  await session.write("Start");
  await turns.takeUp(session.id);
  await turns.commit(session.id, event("session.status_rescheduled", {}));
  expect(await session.stop()).toBe(true);
});

it.each(["end_turn", "retries_exhausted", "refusal"] as const)(
  "sends nothing after a turn ended: %s",
  async (reason) => {
    const session = await openSession();
    await session.write("Start");
    await turns.takeUp(session.id);
    await turns.commit(session.id, said("Done."), idleEvent(reason));
    expect(await session.stop()).toBe(false);
    expect(await session.interrupts()).toBe(0);
    expect(session.hinted).toEqual([]);
  },
);

it("sends nothing to a session that is new, archived or deleted", async () => {
  const session = await openSession();
  expect(await session.stop()).toBe(false);
  await api.client.beta.sessions.archive(session.id);
  expect(await session.stop()).toBe(false);
  await api.client.beta.sessions.delete(session.id);
  expect(await session.stop()).toBe(false);
});
