import Anthropic from "@anthropic-ai/sdk";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createSession, startApi, type TestApi, userMessage } from "../support/api.ts";

let api: TestApi;
beforeAll(async () => {
  api = await startApi();
});
afterAll(() => api.stop());

const sessions = () => api.client.beta.sessions;
const setStatus = (id: string, status: string) => api.prisma.session.update({ where: { id }, data: { status } });

describe("creating a session", () => {
  it("pins the agent as it is and starts idle, with nothing to do", async () => {
    const session = await createSession(api.client, { title: "Report", metadata: { team: "ops" } });
    expect(session).toMatchObject({
      id: expect.stringMatching(/^sesn_01/),
      type: "session",
      status: "idle",
      agent: { type: "agent", name: "Ada", version: 1, model: { id: "model-a" } },
      title: "Report",
      metadata: { team: "ops" },
      resources: [],
      vault_ids: [],
      outcome_evaluations: [],
      budget: null,
      archived_at: null,
      usage: { input_tokens: 0, output_tokens: 0, active_seconds: 0 },
    });
    expect(session.agent).not.toHaveProperty("metadata");
    expect(api.hinted).not.toContain(session.id);
    const { stats, ...rest } = await sessions().retrieve(session.id);
    expect(session).toMatchObject(rest);
    expect(stats.duration_seconds).toBeGreaterThanOrEqual(0);
  });

  it("takes an agent by name of a version, with or without one", async () => {
    const { agent, environment_id } = await createSession(api.client);
    for (const version of [{}, { version: 1 }]) {
      const params = { agent: { type: "agent" as const, id: agent.id, ...version }, environment_id };
      expect((await sessions().create(params)).agent).toEqual(agent);
    }
    await expect(
      sessions().create({ agent: { type: "agent", id: agent.id, version: 9 }, environment_id }),
    ).rejects.toBeInstanceOf(Anthropic.NotFoundError);
  });

  it("refuses an archived agent or environment, and says which", async () => {
    const { agent, environment_id } = await createSession(api.client);
    await api.prisma.environment.update({ where: { id: environment_id }, data: { archivedAt: new Date() } });
    const archived = await sessions()
      .create({ agent: agent.id, environment_id })
      .catch((error: unknown) => error);
    expect(archived).toBeInstanceOf(Anthropic.BadRequestError);
    expect(archived).toMatchObject({ error: { error: { details: { error_code: "environment_archived" } } } });

    const { id } = await api.client.beta.environments.create({ name: "new" });
    await api.prisma.agent.update({ where: { id: agent.id }, data: { archivedAt: new Date() } });
    await expect(sessions().create({ agent: agent.id, environment_id: id })).rejects.toThrow(/agent: .* is archived/);
  });

  it("does not reach into another workspace", async () => {
    const { agent, environment_id, id } = await createSession(api.client);
    const { environment_id: foreign } = await createSession(api.stranger);
    const foreignSessions = api.stranger.beta.sessions;
    for (const attempt of [
      () => sessions().create({ agent: agent.id, environment_id: foreign }),
      () => foreignSessions.create({ agent: agent.id, environment_id: foreign }),
      () => foreignSessions.create({ agent: agent.id, environment_id }),
      () => foreignSessions.retrieve(id),
      () => foreignSessions.archive(id),
      () => foreignSessions.delete(id),
      () => foreignSessions.events.list(id),
      () => foreignSessions.events.stream(id),
      () => foreignSessions.events.send(id, { events: [userMessage("hi")] }),
      () => foreignSessions.resources.list(id),
    ]) {
      await expect(attempt()).rejects.toBeInstanceOf(Anthropic.NotFoundError);
    }
    expect((await foreignSessions.list()).data.map((session) => session.id)).not.toContain(id);
  });

  it("with initial events runs at once and tells the workers, after the events are there", async () => {
    const session = await createSession(api.client, { initial_events: [userMessage("one"), userMessage("two")] });
    expect(session.status).toBe("running");
    expect(api.hinted).toContain(session.id);
    const { data } = await sessions().events.list(session.id);
    expect(data.map(({ type }) => type)).toEqual([
      "session.status_running",
      "session.thread_status_running",
      "user.message",
      "user.message",
    ]);
    expect(data.slice(2)).toEqual([
      { id: expect.stringMatching(/^sevt_/), processed_at: null, ...userMessage("one") },
      { id: expect.stringMatching(/^sevt_/), processed_at: null, ...userMessage("two") },
    ]);
    const row = await api.prisma.session.findUniqueOrThrow({ where: { id: session.id } });
    expect(row).toMatchObject({ lastSeq: 2, queuedCount: 2, runningSince: expect.any(Date) });
  });

  it("does not happen in part", async () => {
    const before = await api.prisma.session.count();
    const bad = { type: "user.interrupt" as const };
    // @ts-expect-error an interrupt is not among the initial events
    await expect(createSession(api.client, { initial_events: [userMessage("one"), bad] })).rejects.toThrow(
      /initial_events\.1\.type/,
    );
    await expect(
      createSession(api.client, {
        initial_events: [userMessage("one")],
        resources: [{ type: "file", file_id: "file_missing" }],
      }),
    ).rejects.toThrow(/File `file_missing` was not found/);
    expect(await api.prisma.session.count()).toBe(before);
  });
});

describe("updating a session", () => {
  const updates = async (id: string) =>
    (await sessions().events.list(id, { types: ["session.updated"] })).data.map(
      ({ id: _id, processed_at: _at, type: _type, ...changes }) => changes,
    );

  it("changes its title, patches its metadata, and logs only what changed", async () => {
    const { id, updated_at } = await createSession(api.client, { title: "Old", metadata: { team: "ops", stage: "1" } });
    const updated = await sessions().update(id, { title: "New", metadata: { stage: null, owner: "ada" } });
    expect(updated).toMatchObject({ id, title: "New", metadata: { team: "ops", owner: "ada" }, status: "idle" });
    expect(Date.parse(updated.updated_at)).toBeGreaterThan(Date.parse(updated_at));
    expect(await sessions().retrieve(id)).toMatchObject({ title: "New", metadata: { team: "ops", owner: "ada" } });
    await sessions().update(id, { title: null });
    await sessions().update(id, { metadata: { team: null, owner: null } });
    expect(await updates(id)).toEqual([
      { title: "New", metadata: { team: "ops", owner: "ada" } },
      { title: null },
      {}, // Metadata of which nothing is left is not shown.
    ]);
    expect((await sessions().retrieve(id)).metadata).toEqual({});
  });

  it.each([
    ["nothing", {}],
    ["what is the same already", { title: "Same", metadata: { team: "ops", gone: null } }],
    ["no metadata", { metadata: null }],
    ["no budget", { budget: null }],
  ])("with %s changes and logs nothing", async (_name, params) => {
    const { id, updated_at } = await createSession(api.client, { title: "Same", metadata: { team: "ops" } });
    expect(await sessions().update(id, params)).toMatchObject({ title: "Same", metadata: { team: "ops" }, updated_at });
    expect(await updates(id)).toEqual([]);
  });

  it("is possible while it runs, and takes its place in the log", async () => {
    const { id } = await createSession(api.client, { initial_events: [userMessage("go")] });
    await sessions().update(id, { title: "Running" });
    const { data } = await sessions().events.list(id);
    expect(data.map(({ type }) => type)).toEqual([
      "session.status_running",
      "session.thread_status_running",
      "session.updated",
      "user.message",
    ]);
    expect((await sessions().retrieve(id)).status).toBe("running");
  });

  it("loses nothing when many change it at once", async () => {
    const { id } = await createSession(api.client);
    const keys = Array.from({ length: 16 }, (_, index) => `key${index}`);
    await Promise.all(keys.map((key) => sessions().update(id, { metadata: { [key]: "set" } })));
    expect(Object.keys((await sessions().retrieve(id)).metadata).toSorted()).toEqual(keys.toSorted());
    expect(await updates(id)).toHaveLength(16);
    const tooMany = sessions().update(id, { metadata: { key16: "set" } });
    await expect(tooMany).rejects.toThrow(/400.*metadata: at most 16 pairs/);
    await sessions().update(id, { metadata: { key0: null, key16: "set" } });
  });

  it.each([
    ["agent", { agent: { tools: [] } }],
    ["budget", { budget: { type: "limit" as const, max_list_cost: { amount: "100", currency: "USD" as const } } }],
    ["vault_ids", { vault_ids: ["vlt_1", "vlt_1"] }],
    ["title", { title: "x".repeat(513) }],
    ["metadata.team", { metadata: { team: "x".repeat(513) } }],
    ["colour", { colour: "red" }],
  ])("refuses `%s`, by name, and changes nothing", async (field, params) => {
    const { id } = await createSession(api.client, { title: "Same" });
    await expect(sessions().update(id, { title: "Other", ...params })).rejects.toThrow(new RegExp(`400.*${field}: `));
    expect((await sessions().retrieve(id)).title).toBe("Same");
  });

  it("is refused for an archived session and for another workspace's", async () => {
    const { id } = await createSession(api.client);
    const foreign = api.stranger.beta.sessions.update(id, { title: "Mine" });
    await expect(foreign).rejects.toBeInstanceOf(Anthropic.NotFoundError);
    await sessions().archive(id);
    await expect(sessions().update(id, { title: "Late" })).rejects.toThrow(/400.*archived/);
  });
});

describe("archiving a session", () => {
  it("terminates it: history stays, events are refused", async () => {
    const { id } = await createSession(api.client);
    const archived = await sessions().archive(id);
    expect(archived).toMatchObject({ status: "terminated", archived_at: expect.any(String) });
    const { data } = await sessions().events.list(id);
    expect(data.map(({ type }) => type)).toEqual(["session.thread_status_terminated", "session.status_terminated"]);
    await expect(sessions().events.send(id, { events: [userMessage("hi")] })).rejects.toBeInstanceOf(
      Anthropic.BadRequestError,
    );
    await expect(sessions().resources.add(id, { type: "file", file_id: "file_1" })).rejects.toBeInstanceOf(
      Anthropic.BadRequestError,
    );
    expect((await sessions().archive(id)).archived_at).toBe(archived.archived_at);
    expect((await sessions().list({ limit: 100 })).data.map((session) => session.id)).not.toContain(id);
    const all = await sessions().list({ limit: 100, include_archived: true });
    expect(all.data.map((session) => session.id)).toContain(id);
  });

  it("is possible after an error terminated it", async () => {
    const { id } = await createSession(api.client);
    await setStatus(id, "terminated");
    expect((await sessions().archive(id)).archived_at).not.toBeNull();
  });

  it.each(["running", "rescheduling"])("is refused while it is %s", async (status) => {
    const { id } = await createSession(api.client);
    await setStatus(id, status);
    await expect(sessions().archive(id)).rejects.toThrow(new RegExp(`400.*is ${status}`));
    await expect(sessions().delete(id)).rejects.toThrow(new RegExp(`400.*is ${status}`));
    expect((await sessions().retrieve(id)).status).toBe(status);
  });

  it("is refused while events wait to be processed", async () => {
    const { id } = await createSession(api.client);
    await sessions().events.send(id, { events: [userMessage("hi")] });
    await expect(sessions().archive(id)).rejects.toThrow(/400.*waiting/);
    await expect(sessions().delete(id)).rejects.toThrow(/400.*waiting/);
  });
});

describe("deleting a session", () => {
  it("removes it and its events", async () => {
    const { id } = await createSession(api.client);
    await sessions().archive(id);
    expect(await sessions().delete(id)).toEqual({ id, type: "session_deleted" });
    await expect(sessions().retrieve(id)).rejects.toBeInstanceOf(Anthropic.NotFoundError);
    await expect(sessions().delete(id)).rejects.toBeInstanceOf(Anthropic.NotFoundError);
    expect(await api.prisma.event.count({ where: { sessionId: id } })).toBe(0);
  });
});

describe("a session's times", () => {
  it("count what it spent running, up to now", async () => {
    const { id } = await createSession(api.client);
    const runningSince = new Date(Date.now() - 10_000);
    await api.prisma.session.update({ where: { id }, data: { status: "running", activeMs: 5_000, runningSince } });
    const { usage, stats } = await sessions().retrieve(id);
    expect(usage.active_seconds).toBeGreaterThanOrEqual(15);
    expect(stats.active_seconds).toBe(usage.active_seconds);
  });

  it("stand still once it is terminated", async () => {
    const { id } = await createSession(api.client);
    const createdAt = new Date("2026-01-01T00:00:00Z");
    await api.prisma.session.update({
      where: { id },
      data: { status: "terminated", createdAt, updatedAt: new Date("2026-01-01T01:00:00Z") },
    });
    expect((await sessions().retrieve(id)).stats.duration_seconds).toBe(3600);
  });
});

describe("the vaults of a session", () => {
  const newVault = async (client = api.client) => (await client.beta.vaults.create({ display_name: "Ada's" })).id;

  it("are those it was created with, in their order, until an update names others", async () => {
    const vaults = [await newVault(), await newVault()];
    const { id, vault_ids } = await createSession(api.client, { vault_ids: vaults });
    expect(vault_ids).toEqual(vaults);
    await api.prisma.session.update({ where: { id }, data: { status: "running" } });
    const updated = await sessions().update(id, { vault_ids: vaults.toReversed() });
    expect(updated.vault_ids).toEqual(vaults.toReversed());
    await sessions().update(id, { vault_ids: vaults.toReversed() });
    const { data } = await sessions().events.list(id, { types: ["session.updated"] });
    expect(data).toEqual([expect.objectContaining({ type: "session.updated", vault_ids: vaults.toReversed() })]);
    expect((await sessions().update(id, { vault_ids: [] })).vault_ids).toEqual([]);
  });

  it("are all there, the workspace's own, not archived, not twice and not too many; else nothing happens", async () => {
    const [usable, archived, foreign] = [await newVault(), await newVault(), await newVault(api.stranger)];
    await api.client.beta.vaults.archive(archived);
    const { id } = await createSession(api.client, { title: "Same", vault_ids: [usable] });
    const before = await api.prisma.session.count();
    for (const [vault_ids, message] of [
      [[usable, archived], /400.*vault_ids\.1: .*archived/],
      [[foreign], /404.*vault_ids\.0/],
      [["vlt_nope"], /404.*vault_ids\.0/],
      [[usable, usable], /400.*vault_ids: /],
      [Array.from({ length: 51 }, (_, index) => `vlt_${index}`), /400.*vault_ids: /],
    ] as const) {
      await expect(createSession(api.client, { vault_ids: [...vault_ids] })).rejects.toThrow(message);
      await expect(sessions().update(id, { title: "Other", vault_ids: [...vault_ids] })).rejects.toThrow(message);
    }
    expect(await api.prisma.session.count()).toBe(before);
    expect(await sessions().retrieve(id)).toMatchObject({ title: "Same", vault_ids: [usable] });
  });
});
