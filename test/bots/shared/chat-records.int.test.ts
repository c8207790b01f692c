import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { ChatRecords } from "../../../bots/shared/chat-records.ts";
import { createDatabaseChatRecords } from "../../../bots/shared/chat-records-store.ts";
import type { ChatThreadKey } from "../../../bots/shared/chat-thread.ts";
import { createDatabaseChatStore } from "../../../bots/shared/database-chat-store.ts";
import { DEFAULT_POLICY } from "../../../bots/shared/channel-policy.ts";
import { createDatabase, type Database } from "../../../src/database.ts";
import { createTestDatabase, type TestDatabase } from "../../support/database.ts";

const HOUR_MS = 3_600_000;
let test: TestDatabase;
let database: Database;
let records: ChatRecords;
beforeAll(async () => {
  test = await createTestDatabase();
  database = createDatabase(test.url, () => undefined);
  records = createDatabaseChatRecords(database);
});
afterAll(async () => {
  await database.close();
  await test.drop();
});

let count = 0;
const newThread = (channel = "C1"): ChatThreadKey => `slack:T1:${channel}:${++count}.0`;

async function threadWithSession(channel?: string): Promise<{ thread: ChatThreadKey; sessionId: string }> {
  const { threads } = createDatabaseChatStore(database);
  const thread = newThread(channel);
  const sessionId = `sesn_${count}`;
  await threads.open(thread);
  await threads.reserveSession(thread, "test", HOUR_MS);
  await threads.bindSession(thread, "test", sessionId);
  return { thread, sessionId };
}

describe("policies", () => {
  it("of a channel hold before those of its team, which hold before the defaults", async () => {
    const { policies } = records;
    expect(await policies.of("slack:T9:C9")).toEqual(DEFAULT_POLICY);
    await policies.set("slack:T9", { mode: "mention_only", monthlyBudgetUsd: 10, allowGuests: true });
    await policies.set("slack:T9:C9", { monthlyBudgetUsd: null, approvers: ["U1"] });
    expect(await policies.of("slack:T9:C9")).toEqual({
      ...DEFAULT_POLICY,
      mode: "mention_only",
      allowGuests: true,
      approvers: ["U1"],
    });
    expect((await policies.of("slack:T9:C8")).monthlyBudgetUsd).toBe(10);
    expect(await policies.list()).toHaveLength(2);
    expect(await policies.unset("slack:T9")).toBe(true);
    expect(await policies.unset("slack:T9")).toBe(false);
    expect((await policies.of("slack:T9:C9")).mode).toBe("thread");
  });
});

describe("approvals", () => {
  const ask = async (expiresInMs = HOUR_MS) => {
    const toolUseId = `sevt_${++count}`;
    const expiresAt = new Date(Date.now() + expiresInMs);
    const question = { toolUseId, thread: newThread(), sessionId: "s", place: null, requester: "U1", toolName: "bash" };
    return records.approvals.ask({ ...question, expiresAt });
  };

  it("are asked once and decided once, by whoever was first", async () => {
    const { toolUseId } = await ask();
    const by = (id: string) => ({ id, name: id.toLowerCase() });
    const decided = await Promise.all([
      records.approvals.decide(toolUseId, "allow", by("U1"), null),
      records.approvals.decide(toolUseId, "deny", by("U2"), "no"),
      records.approvals.decide(toolUseId, "expired", null, null),
    ]);
    expect(decided.filter(Boolean)).toHaveLength(1);
    const approval = await records.approvals.find(toolUseId);
    expect(["allow", "deny", "expired"].indexOf(approval?.decision ?? "")).toBe(decided.indexOf(true));
  });

  it("are no longer decided by people once their time is over", async () => {
    const { toolUseId } = await ask(-1);
    expect((await records.approvals.due(["slack"], HOUR_MS, 100)).map((due) => due.toolUseId)).toContain(toolUseId);
    // Those of a surface that no process has any more must not fill up the places of others.
    expect(await records.approvals.due(["teams"], HOUR_MS, 100)).toEqual([]);
    expect(await records.approvals.decide(toolUseId, "allow", { id: "U1", name: "Ana" }, null)).toBe(false);
    expect(await records.approvals.find(toolUseId)).toMatchObject({ decision: "expired", decidedBy: null });
  });

  it("that the session was not told of come up again until they were", async () => {
    const { toolUseId, thread } = await ask();
    const isDue = async (staleMs: number) =>
      (await records.approvals.due(["slack"], staleMs, 100)).some((due) => due.toolUseId === toolUseId);
    expect(await isDue(-1)).toBe(false);
    expect(await records.approvals.open(thread)).toHaveLength(1);
    await records.approvals.decide(toolUseId, "deny", { id: "U1", name: "Ana" }, "too risky");
    expect(await records.approvals.open(thread)).toEqual([]);
    expect([await isDue(HOUR_MS), await isDue(-1)]).toEqual([false, true]);
    await records.approvals.markSent(toolUseId);
    expect(await isDue(-1)).toBe(false);
    expect(await records.approvals.find(toolUseId)).toMatchObject({
      sent: true,
      reason: "too risky",
      decidedBy: { id: "U1", name: "Ana" },
    });
  });
});

describe("the directory", () => {
  it("knows who began a session, once, and forgets it with the session", async () => {
    const { directory } = records;
    const { thread, sessionId } = await threadWithSession();
    await directory.began(thread, { place: "slack:T1:C1", requester: "U1", title: "Report" });
    await directory.began(thread, { place: "slack:T1:C1", requester: "U2", title: "Other" });
    await directory.told(thread, sessionId, { messageId: "m1", others: true });
    await directory.told(thread, "sesn_left", { messageId: "m9", others: true });
    await directory.chooseAgent(thread, "agent_x");
    expect(await directory.reading(thread)).toEqual({
      sessionId,
      requester: "U1",
      seenMessageId: "m1",
      severalPeople: true,
      busy: false,
    });
    await createDatabaseChatStore(database).threads.detachSession(thread, sessionId);
    expect(await directory.reading(thread)).toEqual({
      sessionId: null,
      requester: null,
      seenMessageId: null,
      severalPeople: false,
      busy: false,
    });
    expect(await directory.summary(thread)).toBeNull();
    expect(await directory.chosenAgent(thread)).toBe("agent_x");
  });

  it("lists sessions by team, place, person and whether they run, latest first", async () => {
    const { directory } = records;
    const begin = async (channel: string, requester: string) => {
      const { thread } = await threadWithSession(channel);
      await directory.began(thread, { place: `slack:TD:${channel}`, requester, title: channel });
      return thread;
    };
    const first = await begin("C5", "U1");
    const second = await begin("C6", "U2");
    const third = await begin("C5", "U2");
    await directory.reached(second, "waiting");
    await database.pool.query("SELECT pg_sleep(0.002)"); // Times are kept in whole milliseconds.
    await directory.reached(third, "done");
    const listed = async (filter: Omit<Parameters<typeof directory.list>[0], "limit">) =>
      (await directory.list({ ...filter, limit: 10 })).map(({ thread }) => thread);
    expect(await listed({ team: "slack:TD" })).toEqual([third, second, first]);
    expect(await listed({ place: "slack:TD:C5" })).toEqual([third, first]);
    expect(await listed({ team: "slack:TD", requester: "U2" })).toEqual([third, second]);
    expect(await listed({ team: "slack:TD", running: true })).toEqual([second, first]);
    expect(await listed({ team: "slack:T" })).toEqual([]);
  });
});

describe("ratings", () => {
  it("count a person's latest word on each answer", async () => {
    const rating = { thread: newThread(), eventId: "e1", sessionId: "sesn_rated", person: "U1" } as const;
    await records.ratings.rate({ ...rating, value: "down" });
    expect(await records.ratings.rate({ ...rating, value: "up" })).toEqual({ up: 1, down: 0 });
    await records.ratings.rate({ ...rating, eventId: "e2", value: "up" });
    expect(await records.ratings.rate({ ...rating, person: "U2", value: "down" })).toEqual({ up: 2, down: 1 });
  });
});

describe("spend", () => {
  const month = new Date().toISOString().slice(0, 7);
  const spent = { requester: "U1", totalTokens: 10 };

  it("is what a session has cost in all, however often it is noted, in whatever order", async () => {
    const session = { ...spent, sessionId: "sesn_a", place: "slack:TS:C1" } as const;
    await Promise.all([40, 120, 80].map((totalCents) => records.spend.record({ ...session, totalCents })));
    await records.spend.record({ ...session, totalCents: 120 });
    expect(await records.spend.sum(month, { place: "slack:TS:C1" })).toEqual({
      costCents: 120,
      tokens: 10,
      sessions: 1,
    });
  });

  it("counts what earlier months have not", async () => {
    await database.prisma.chatSpend.create({
      data: { sessionId: "sesn_b", month: "2020-01", place: "slack:TS:C2", costCents: 100, tokens: 4 },
    });
    await records.spend.record({ ...spent, sessionId: "sesn_b", place: "slack:TS:C2", totalCents: 130 });
    expect(await records.spend.sum(month, { place: "slack:TS:C2" })).toEqual({ costCents: 30, tokens: 6, sessions: 1 });
  });

  it("of a team is that of its channels, and of no team whose name begins the same", async () => {
    await records.spend.record({ ...spent, sessionId: "sesn_c", place: "slack:TT:C1", totalCents: 5 });
    await records.spend.record({ ...spent, sessionId: "sesn_d", place: "slack:TT:C2", totalCents: 7, requester: "U2" });
    await records.spend.record({ ...spent, sessionId: "sesn_e", place: "slack:TTX:C1", totalCents: 100 });
    expect((await records.spend.sum(month, { team: "slack:TT" })).costCents).toBe(12);
    expect((await records.spend.sum(month, { place: "slack:TT" })).costCents).toBe(12);
    expect((await records.spend.sum(month, { team: "slack:TT", requester: "U2" })).costCents).toBe(7);
  });
});

describe("the audit", () => {
  it("tells who did what where, latest first", async () => {
    const entry = { thread: newThread(), sessionId: "sesn_x", detail: { why: "test" } };
    const person = { id: "U1", name: "Ana", email: "ana@example.com" };
    await records.audit.record({ ...entry, action: "session_started", place: "slack:TA:C1", person });
    await records.audit.record({ ...entry, action: "interrupted", place: "slack:TA:C2", person: null });
    const all = await records.audit.list({ place: "slack:TA", limit: 10 });
    expect(all.map(({ action }) => action)).toEqual(["interrupted", "session_started"]);
    expect(all[1]).toMatchObject({
      person: "U1",
      personName: "Ana",
      email: "ana@example.com",
      detail: { why: "test" },
    });
    expect(await records.audit.list({ place: "slack:TA:C1", sessionId: "sesn_x", limit: 10 })).toHaveLength(1);
  });
});
