import Anthropic from "@anthropic-ai/sdk";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createOwnApprovalDesk } from "../../../bots/shared/approval-desk.ts";
import type { Attachment } from "../../../bots/shared/attachments.ts";
import type { ChatStore } from "../../../bots/shared/chat-store.ts";
import type { ChatThreadKey } from "../../../bots/shared/chat-thread.ts";
import { createDatabaseChatStore } from "../../../bots/shared/database-chat-store.ts";
import { findChatAgent } from "../../../bots/shared/default-agent.ts";
import { type InboundDeps, takeIn } from "../../../bots/shared/inbound.ts";
import { createThreadSessions } from "../../../bots/shared/thread-sessions.ts";
import { createDatabase, type Database } from "../../../src/database.ts";
import { createChatService } from "../../fakes/chat-surface.ts";
import { type FlakyNetwork, startFlakyNetwork } from "../../fakes/flaky-network.ts";
import { createPlayedTurns, event, idleEvent, said } from "../../fakes/played-turns.ts";
import { startApi, type TestApi } from "../../support/api.ts";

const { signal } = new AbortController();
let api: TestApi;
let network: FlakyNetwork;
let database: Database;
let store: ChatStore;
let turns: ReturnType<typeof createPlayedTurns>;
beforeAll(async () => {
  api = await startApi();
  network = await startFlakyNetwork(api.baseURL);
  database = createDatabase(String(api.pool.options.connectionString), () => undefined);
  store = createDatabaseChatStore(database);
  turns = createPlayedTurns(api.eventLog);
});
afterAll(async () => {
  await network.close();
  await database.close();
  await api.stop();
});

let count = 0;
async function openThread(overrides: Partial<InboundDeps> = {}) {
  const thread: ChatThreadKey = `slack:T1:C3:${++count}.0`;
  const client = new Anthropic({ baseURL: network.url, apiKey: api.key, maxRetries: 0 });
  const agent = await findChatAgent({ client, model: "model-a", agentId: null }, signal);
  const service = createChatService();
  const hinted: string[] = [];
  const sessions = createThreadSessions({ client, threads: store.threads });
  const ensureDelivery = async (key: ChatThreadKey) => void hinted.push(key);
  const deps: InboundDeps = {
    client,
    surface: service.surface(),
    store,
    sessions,
    agent,
    approvals: createOwnApprovalDesk({ client, sessions, store, ensureDelivery }),
    ensureDelivery,
    ...overrides,
  };
  const write = (messageId: string, text: string, attachments: Attachment[] = []) =>
    takeIn(deps, { thread, messageId, text, attachments }, signal);
  const messages = async () => {
    const { sessionId } = await store.threads.open(thread);
    if (sessionId === null) return [];
    const page = await api.client.beta.sessions.events.list(sessionId, { types: ["user.message", "user.interrupt"] });
    return page.data.map((sent) =>
      sent.type === "user.message" && sent.content[0]?.type === "text" ? sent.content[0].text : sent.type,
    );
  };
  const sessionId = async () => (await store.threads.open(thread)).sessionId ?? "";
  return { thread, deps, service, hinted, write, messages, sessionId };
}

const file = (filename: string, text: string): Attachment => ({ filename, content: async () => new Blob([text]) });

describe("a message", () => {
  it("becomes one user.message, and someone is told to deliver", async () => {
    const { thread, write, messages, hinted, service } = await openThread();
    expect(await write("m1", "Make a report")).toMatchObject({ type: "sent" });
    expect(await messages()).toEqual(["Make a report"]);
    expect(hinted).toEqual([thread]);
    expect((await store.threads.open(thread)).busy).toBe(true);
    expect(service.acknowledged).toEqual([{ messageId: "m1", how: "started" }]);
  });

  it("that is delivered again is taken in once, also when both deliveries come at once", async () => {
    const { write, messages } = await openThread();
    const results = await Promise.all([write("m1", "Hi"), write("m1", "Hi"), write("m1", "Hi")]);
    await write("m1", "Hi");
    expect(results.filter(({ type }) => type === "sent")).toHaveLength(1);
    expect(await messages()).toEqual(["Hi"]);
  });

  it("that comes while something runs is acknowledged as queued", async () => {
    const { write, service, messages } = await openThread();
    await write("m1", "Start");
    await write("m2", "use green");
    expect(service.acknowledged.map(({ how }) => how)).toEqual(["started", "queued"]);
    expect(await messages()).toEqual(["Start", "use green"]);
  });

  it("whose sending broke off after the server took it is not sent again by the redelivery", async () => {
    const { write, messages } = await openThread();
    await write("m0", "Same words");
    const lost = network.loseAnswer("POST", /\/events$/);
    await expect(write("m1", "Same words")).rejects.toThrow(Anthropic.APIConnectionError);
    await lost;
    expect(await write("m1", "Same words")).toMatchObject({ type: "sent" });
    expect(await messages()).toEqual(["Same words", "Same words"]);
  });

  it("whose sending failed before the server took it is sent by the redelivery", async () => {
    const { write, messages } = await openThread();
    await write("m0", "Earlier");
    network.down();
    await expect(write("m1", "Later")).rejects.toThrow(Anthropic.APIConnectionError);
    network.up();
    await write("m1", "Later");
    expect(await messages()).toEqual(["Earlier", "Later"]);
  });
});

describe("attachments", () => {
  it("are mounted, and named in the message below the person's words", async () => {
    const { write, messages, sessionId } = await openThread();
    await write("m1", "Clean this", [file("sales.csv", "a,b\n1,2")]);
    expect(await messages()).toEqual([
      "Clean this\n\n<attached_files>\n/mnt/session/uploads/sales.csv\n</attached_files>",
    ]);
    const resources = await api.client.beta.sessions.resources.list(await sessionId());
    expect(resources.data).toMatchObject([{ type: "file", mount_path: "/mnt/session/uploads/sales.csv" }]);
  });

  it("of the same name stand side by side, in one message and in a later one", async () => {
    const { write, messages } = await openThread();
    await write("m1", "Two", [file("data.csv", "1"), file("DATA.csv", "2")]);
    await write("m2", "", [file("/home/me/data.csv", "3")]);
    const text = (await messages()).join("\n");
    expect(text.match(/\/mnt\/session\/uploads\/.*/g)).toEqual([
      "/mnt/session/uploads/data.csv",
      "/mnt/session/uploads/DATA (2).csv",
      "/mnt/session/uploads/data (3).csv",
    ]);
  });

  it("make a message of what would be a command without them", async () => {
    const { write, messages } = await openThread();
    await write("m1", "status", [file("status.txt", "ok")]);
    expect((await messages())[0]).toMatch(/^status\n\n<attached_files>/);
  });
});

describe("commands", () => {
  it("stop interrupts what runs, and says when nothing does", async () => {
    const { write, messages, service, sessionId } = await openThread();
    await write("m1", "stop");
    expect(service.words()).toEqual(["Nothing is running."]);
    await write("m2", "Start");
    await turns.takeUp(await sessionId());
    await write("m3", "Please stop!");
    expect(await messages()).toEqual(["Start", "user.interrupt"]);
    expect(service.words()).toHaveLength(1);
  });

  it("stop reaches a message that no harness has taken up yet", async () => {
    const { write, messages } = await openThread();
    await write("m1", "Start");
    await write("m2", "/stop");
    expect(await messages()).toEqual(["Start", "user.interrupt"]);
  });

  it("status tells how far the session is", async () => {
    const { write, service, sessionId } = await openThread();
    await write("m1", "status");
    await write("m2", "Start");
    await turns.takeUp(await sessionId());
    await write("m3", "status?");
    expect(service.words()[0]).toContain("no session yet");
    expect(service.words()[1]).toMatch(/^Working for 0:0/);
  });

  it("new leaves the session behind, so that the next message starts another", async () => {
    const { write, sessionId, messages } = await openThread();
    await write("m1", "Start");
    const first = await sessionId();
    await turns.takeUp(first);
    await turns.commit(first, said("Done."), idleEvent());
    await write("m2", "new");
    expect(await sessionId()).toBe("");
    await write("m3", "Again");
    expect(await sessionId()).not.toBe(first);
    expect(await messages()).toEqual(["Again"]);
  });

  it("are answered once, however often they are delivered", async () => {
    const { write, service } = await openThread();
    service.fail("post", "after", new Error("killed"));
    await expect(write("m1", "help")).rejects.toThrow("killed");
    await write("m1", "help");
    await write("m1", "help");
    expect(service.words()).toHaveLength(1);
    expect(service.words()[0]).toContain("`stop`");
  });

  it("steer sends its words as the message", async () => {
    const { write, messages } = await openThread();
    expect(await write("m1", "/steer use green")).toMatchObject({ type: "sent" });
    await write("m1", "/steer use green");
    expect(await messages()).toEqual(["use green"]);
  });

  it("yes and no are decisions while the session asks, and messages otherwise", async () => {
    const { write, messages, sessionId, service } = await openThread();
    await write("m1", "yes, go ahead");
    expect(await messages()).toEqual(["yes, go ahead"]);
    await turns.takeUp(await sessionId());
    const call = event("agent.tool_use", { name: "bash", input: { command: "ls" }, evaluated_permission: "ask" });
    const stopReason = { type: "requires_action" as const, event_ids: [call.id] };
    const idle = event("session.status_idle", { stop_reason: stopReason, stop_details: null });
    await turns.commit(await sessionId(), call, idle);
    await write("m2", "no, don't");
    const sent = await api.client.beta.sessions.events.list(await sessionId(), { types: ["user.tool_confirmation"] });
    expect(sent.data).toMatchObject([{ tool_use_id: call.id, result: "deny" }]);
    expect(service.words()).toEqual(["Denied."]);
    expect(await messages()).toEqual(["yes, go ahead"]);
  });

  it("that do not exist are answered with the nearest that does", async () => {
    const { write, service, sessionId } = await openThread();
    await write("m1", "/stpo");
    expect(service.words()[0]).toContain("Did you mean `stop`?");
    expect(await sessionId()).toBe("");
  });
});
