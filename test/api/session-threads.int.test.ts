import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createSession, startApi, type TestApi, userMessage } from "../support/api.ts";
import { agentMessage, append } from "../support/session-log.ts";

let api: TestApi;
beforeAll(async () => {
  api = await startApi();
});
afterAll(() => api.stop());

const threads = () => api.client.beta.sessions.threads;
async function collect<Item>(items: AsyncIterable<Item>): Promise<Item[]> {
  const all: Item[] = [];
  for await (const item of items) all.push(item);
  return all;
}
async function newThread() {
  const session = await createSession(api.client);
  const [thread] = (await threads().list(session.id)).data;
  if (!thread) throw new Error("a session without a thread");
  return { session, thread };
}
const statusOf = (type: "running" | "idle", session_thread_id: string, processedAt: string) => ({
  id: `sevt_${type}_${session_thread_id}`,
  processed_at: processedAt,
  agent_name: "Ada",
  session_thread_id,
  ...(type === "running"
    ? { type: "session.thread_status_running" as const }
    : {
        type: "session.thread_status_idle" as const,
        stop_reason: { type: "end_turn" as const },
        stop_details: null,
      }),
});

describe("a session's primary thread", () => {
  it("is there from the beginning, with the agent as the session runs it and nothing used", async () => {
    const { session, thread } = await newThread();
    const { multiagent: _, ...agent } = session.agent;
    expect(thread).toEqual({
      id: expect.stringMatching(/^sthr_01/),
      type: "session_thread",
      session_id: session.id,
      parent_thread_id: null,
      workflow_run_id: null,
      agent,
      status: "idle",
      usage: null,
      stats: null,
      created_at: session.created_at,
      updated_at: session.updated_at,
      archived_at: null,
    });
    expect(await threads().retrieve(thread.id, { session_id: session.id })).toEqual(thread);
  });

  it("has times once it ran, and usage without the price of runtime once it was idle", async () => {
    const { session, thread } = await newThread();
    const get = () => threads().retrieve(thread.id, { session_id: session.id });
    const at = (seconds: number) => new Date(Date.parse(session.created_at) + seconds * 1000).toISOString();
    await append(api, session.id, [statusOf("running", thread.id, at(3))]);
    expect(await get()).toMatchObject({ usage: null, stats: { startup_seconds: 3, active_seconds: 0 } });
    await append(api, session.id, [statusOf("idle", thread.id, at(9))]);
    const { usage } = await api.prisma.session.findUniqueOrThrow({ where: { id: session.id } });
    await api.prisma.session.update({
      where: { id: session.id },
      data: { activeMs: 7_200_000, usage: { ...Object(usage), input_tokens: 12, token_nanocents: 3_000_000_000 } },
    });
    const ran = await get(); // Two hours at 8 cents are the session's alone.
    expect(ran.stats).toMatchObject({ startup_seconds: 3, active_seconds: 7200 });
    expect(ran.usage).toMatchObject({
      input_tokens: 12,
      active_seconds: 7200,
      list_cost: { amount: "3", currency: "USD" },
    });
    expect((await api.client.beta.sessions.retrieve(session.id)).usage.list_cost?.amount).toBe("19");
  });

  it("ends with its session, not alone", async () => {
    const { session, thread } = await newThread();
    await expect(threads().archive(thread.id, { session_id: session.id })).rejects.toThrow(
      /400.*thread_id.*primary thread/,
    );
    const { archived_at } = await api.client.beta.sessions.archive(session.id);
    expect(await threads().retrieve(thread.id, { session_id: session.id })).toMatchObject({
      status: "terminated",
      archived_at,
    });
  });

  it("is listed by status and page", async () => {
    const { session, thread } = await newThread();
    const list = (query: object) => threads().list(session.id, query);
    expect((await list({ limit: 1 })).data).toEqual([thread]);
    expect((await list({ limit: 1 })).next_page).toBeNull();
    expect((await list({ statuses: ["idle", "running"] })).data).toEqual([thread]);
    expect((await list({ statuses: ["running"] })).data).toEqual([]);
    await expect(list({ statuses: ["asleep"] })).rejects.toThrow(/400.*statuses/);
    await expect(list({ page: "nonsense" })).rejects.toThrow(/400.*page/);
  });

  it("has the session's events, in pages", async () => {
    const { session, thread } = await newThread();
    const written = await append(api, session.id, ["session.status_running", agentMessage("a"), agentMessage("b")]);
    await api.client.beta.sessions.events.send(session.id, { events: [userMessage("more")] });
    const listed = await collect(threads().events.list(thread.id, { session_id: session.id, limit: 2 }));
    expect(listed.slice(0, 3)).toEqual(written);
    expect(listed.slice(3)).toMatchObject([{ type: "user.message", processed_at: null }]);
  });

  it("is followed by its stream, from its headers on", async () => {
    const { session, thread } = await newThread();
    await append(api, session.id, [agentMessage("before")]);
    const stream = await threads().events.stream(thread.id, { session_id: session.id });
    const [written] = await append(api, session.id, [agentMessage("after")]);
    for await (const event of stream) {
      expect(event).toEqual(written);
      break;
    }
  });
});

describe("a thread that is not there", () => {
  it("is not found: unknown, of another session, of another workspace", async () => {
    const { session, thread } = await newThread();
    const other = await newThread();
    const asked: [TestApi["client"], string, string][] = [
      [api.client, "sthr_none", session.id],
      [api.client, other.thread.id, session.id],
      [api.client, thread.id, "sesn_none"],
      [api.stranger, thread.id, session.id],
    ];
    for (const [client, threadId, session_id] of asked) {
      const { threads: of } = client.beta.sessions;
      await expect(of.retrieve(threadId, { session_id })).rejects.toMatchObject({ status: 404 });
      await expect(of.archive(threadId, { session_id })).rejects.toMatchObject({ status: 404 });
      await expect(of.events.list(threadId, { session_id })).rejects.toMatchObject({ status: 404 });
      await expect(of.events.stream(threadId, { session_id })).rejects.toMatchObject({ status: 404 });
    }
    await expect(api.stranger.beta.sessions.threads.list(session.id)).rejects.toMatchObject({ status: 404 });
  });
});
