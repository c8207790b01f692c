import { afterAll, beforeAll, expect, it } from "vitest";
import { decideAll } from "../../../bots/shared/approval-command.ts";
import { createApprovalDesk } from "../../../bots/shared/approval-desk.ts";
import type { ChatRecords } from "../../../bots/shared/chat-records.ts";
import { createDatabaseChatRecords } from "../../../bots/shared/chat-records-store.ts";
import type { ChatStore } from "../../../bots/shared/chat-store.ts";
import type { ChatThreadKey } from "../../../bots/shared/chat-thread.ts";
import { createDatabaseChatStore } from "../../../bots/shared/database-chat-store.ts";
import { createDatabase, type Database } from "../../../src/database.ts";
import { createChatService } from "../../fakes/chat-surface.ts";
import { createPlayedTurns, event } from "../../fakes/played-turns.ts";
import { createSession, startApi, type TestApi, userMessage } from "../../support/api.ts";
import { SILENT } from "../../support/silent-log.ts";

const { signal } = new AbortController();
const HOUR_MS = 3_600_000;
let api: TestApi;
let database: Database;
let store: ChatStore;
let records: ChatRecords;
beforeAll(async () => {
  api = await startApi();
  database = createDatabase(String(api.pool.options.connectionString), () => undefined);
  store = createDatabaseChatStore(database);
  records = createDatabaseChatRecords(database);
});
afterAll(async () => {
  await database.close();
  await api.stop();
});

let count = 0;
/** A thread whose session waits for two tool calls to be decided on. */
async function openThread(asked: "all" | "none" = "all") {
  const place = `slack:T1:D${++count}` as const;
  const thread: ChatThreadKey = `${place}:1.0`;
  const turns = createPlayedTurns(api.eventLog);
  const { id: sessionId } = await createSession(api.client);
  await store.threads.open(thread);
  await api.client.beta.sessions.events.send(sessionId, { events: [userMessage("Start")] });
  await turns.takeUp(sessionId);
  const calls = ["ls", "rm -r /"].map((command) =>
    event("agent.tool_use", { name: "bash", input: { command }, evaluated_permission: "ask" }),
  );
  const stopReason = { type: "requires_action" as const, event_ids: calls.map(({ id }) => id) };
  await turns.commit(
    sessionId,
    ...calls,
    event("session.status_idle", { stop_reason: stopReason, stop_details: null }),
  );
  const desk = createApprovalDesk({
    client: api.client,
    surface: createChatService().surface(),
    store,
    records,
    source: { inGroup: async () => false, person: async (_, id) => ({ id, name: id, email: null, kind: "member" }) },
    ensureDelivery: async () => undefined,
    log: SILENT,
  });
  const confirmations = async () => {
    const listed = await api.client.beta.sessions.events.list(sessionId, { types: ["user.tool_confirmation"] });
    return listed.data.map((sent) => sent.type === "user.tool_confirmation" && [sent.tool_use_id, sent.result]);
  };
  const decide = (toolUseId: string, personId: string | null, decision: "allow" | "deny" = "allow") =>
    desk.decide(thread, { toolUseId, decision, personId, reason: null }, signal);
  const ask = (toolUseId: string) => {
    const expiresAt = new Date(Date.now() + HOUR_MS);
    return records.approvals.ask({ toolUseId, thread, sessionId, place, requester: "U1", toolName: "bash", expiresAt });
  };
  if (asked === "all") for (const { id } of calls) await ask(id);
  return { thread, desk, decide, confirmations, ask, ids: calls.map(({ id }) => id) };
}

it("knows what waits in a thread, and brings a decision on it to the session", async () => {
  const { thread, desk, decide, confirmations, ids } = await openThread();
  const [first = "", second = ""] = ids;
  expect(await desk.open(thread, signal)).toEqual([first, second]);
  expect(await decide(first, "U1")).toBe("decided");
  expect(await decide(first, "U1", "deny")).toBe("too_late");
  expect(await desk.open(thread, signal)).toEqual([second]);
  expect(await confirmations()).toEqual([[first, "allow"]]);
});

it("takes no decision from those who may not decide, nor from nobody", async () => {
  const { thread, desk, decide, confirmations, ids } = await openThread();
  expect(await decide(ids[0] ?? "", "U2")).toBe("not_allowed");
  expect(await decide(ids[0] ?? "", null)).toBe("not_allowed");
  expect(await desk.open(thread, signal)).toEqual(ids);
  expect(await confirmations()).toEqual([]);
});

it("takes words for a decision on what was asked by then, however late and however often they are taken in", async () => {
  const { thread, desk, confirmations, ask, ids } = await openThread("none");
  const [first = "", second = ""] = ids;
  const person = { personId: "U1", attachments: [], addressed: true, agentId: null, reactTo: null };
  const call = { thread, messageId: "2.0", personId: "U1", decision: "allow", reason: null } as const;
  await ask(first);
  await records.inbox.keep(thread, "2.0", { type: "message", text: "approve", ...person }, null);
  await ask(second);
  await database.prisma.$executeRaw`
    UPDATE chat_approvals SET asked_at = asked_at + interval '1 second' WHERE tool_use_id = ${second}`;
  await decideAll(desk, call, signal);
  // As after a crash, or an answer that could not be posted.
  await decideAll(desk, call, signal);
  expect(await confirmations()).toEqual([[first, "allow"]]);
  expect(await desk.open(thread, signal)).toEqual([second]);
});
