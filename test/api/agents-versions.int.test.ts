import Anthropic from "@anthropic-ai/sdk";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createSession, errorOf, rawHeaders, startApi, type TestApi } from "../support/api.ts";

let api: TestApi;
beforeAll(async () => {
  api = await startApi();
});
afterAll(() => api.stop());

const TOOLSET = { type: "agent_toolset_20260401" as const };

/** Its keys are not in the order that the database gives them back in. */
const LOOKUP = {
  type: "custom" as const,
  name: "lookup",
  description: "Looks a person up.",
  input_schema: { type: "object" as const, required: ["name"], properties: { name: { type: "string" }, age: {} } },
};
const BETA = { "anthropic-beta": "managed-agents-2026-04-01" };

const agents = () => api.client.beta.agents;
const create = (params: Partial<Anthropic.Beta.AgentCreateParams> = {}) =>
  agents().create({ name: "Ada", model: "model-a", ...params });
const fullAgent = () =>
  create({
    model: { id: "model-a", effort: "low" },
    description: "Counts.",
    system: "Be brief.",
    tools: [TOOLSET, LOOKUP],
    metadata: { team: "ops", stage: "1" },
  });
const versionsOf = async (id: string) => {
  const seen = [];
  for await (const agent of agents().versions.list(id, { limit: 2 })) seen.push(agent);
  return seen;
};

describe("updating an agent", () => {
  it("makes a new version of what is given, and keeps what is not", async () => {
    const first = await fullAgent();
    const second = await agents().update(first.id, { name: "Grace", metadata: { stage: null, owner: "g" } });
    expect(second).toEqual({
      ...first,
      version: 2,
      name: "Grace",
      metadata: { team: "ops", owner: "g" },
      updated_at: expect.any(String),
    });
    expect(Date.parse(second.updated_at)).toBeGreaterThanOrEqual(Date.parse(first.updated_at));
    expect(await agents().retrieve(first.id)).toEqual(second);
    expect(await agents().retrieve(first.id, { version: 1 })).toEqual(first);
  });

  it.each([
    ["null", { description: null, system: null, tools: null }],
    ["what is empty", { description: "", system: "", tools: [] }],
  ])("clears by %s", async (_name, params) => {
    const { id } = await fullAgent();
    expect(await agents().update(id, params)).toMatchObject({ version: 2, description: null, system: null, tools: [] });
  });

  it("puts tools in the place of those before, as a whole and resolved", async () => {
    const first = await create({
      tools: [{ ...TOOLSET, configs: [{ name: "bash", permission_policy: { type: "always_ask" } }] }],
    });
    const { tools } = await agents().update(first.id, { tools: [{ ...TOOLSET, default_config: { enabled: false } }] });
    const [toolset] = tools;
    if (toolset?.type !== "agent_toolset_20260401") throw new Error("no toolset");
    expect(toolset.configs.map(({ enabled, permission_policy }) => [enabled, permission_policy.type])).toEqual(
      Array.from({ length: toolset.configs.length }, () => [false, "always_allow"]),
    );
  });

  it("keeps the effort with the model it was chosen for, and no longer", async () => {
    const { id } = await fullAgent();
    const effortAfter = async (model: Anthropic.Beta.AgentUpdateParams["model"] & {}) =>
      (await agents().update(id, { model })).model.effort?.type;
    expect(await effortAfter("model-a")).toBe("low");
    expect(await effortAfter({ id: "model-a", speed: "standard" })).toBe("low");
    expect(await effortAfter({ id: "model-a", effort: { type: "max" } })).toBe("max");
    expect(await effortAfter({ id: "model-b" })).toBe("high");
  });

  it.each([
    ["nothing", {}],
    ["no metadata", { metadata: null }],
    [
      "what is the same already",
      {
        name: "Ada",
        model: { id: "model-a", effort: "low" as const },
        description: "Counts.",
        system: "Be brief.",
        tools: [{ ...TOOLSET, configs: [{ name: "bash" as const, enabled: true }] }, LOOKUP],
        metadata: { team: "ops", gone: null },
        mcp_servers: [],
        skills: null,
        multiagent: null,
        execution_identity: { type: "service_account" as const },
        version: 1,
      },
    ],
  ])("with %s makes no version", async (_name, params) => {
    const agent = await fullAgent();
    expect(await agents().update(agent.id, params)).toEqual(agent);
    expect(await versionsOf(agent.id)).toEqual([agent]);
  });

  it("with a version that is not the latest is a conflict that is not worth repeating, even when it changes nothing", async () => {
    const { id } = await create();
    await agents().update(id, { name: "Grace", version: 1 });
    for (const params of [
      { name: "Late", version: 1 },
      { name: "Grace", version: 1 },
      { name: "Early", version: 3 },
    ]) {
      const response = await fetch(`${api.baseURL}/v1/agents/${id}`, {
        method: "POST",
        headers: { ...rawHeaders(api), "content-type": "application/json" },
        body: JSON.stringify(params),
      });
      expect(response.headers.get("x-should-retry")).toBe("false");
      expect(await errorOf(response)).toMatchObject({
        status: 409,
        type: "conflict_error",
        message: expect.stringMatching(new RegExp(`^version: .*at version 2, not ${params.version}`)),
      });
    }
    expect(await agents().retrieve(id)).toMatchObject({ version: 2, name: "Grace" });
    await expect(agents().update(id, { name: "Late", version: 1 })).rejects.toBeInstanceOf(Anthropic.ConflictError);
  });

  it("is won by one of many that start from the same version", async () => {
    const { id } = await create();
    const names = Array.from({ length: 8 }, (_, index) => `Ada ${index}`);
    const outcomes = await Promise.allSettled(names.map((name) => agents().update(id, { name, version: 1 })));
    const won = outcomes.flatMap((outcome) => (outcome.status === "fulfilled" ? [outcome.value] : []));
    const lost = outcomes.flatMap((outcome) => (outcome.status === "rejected" ? [outcome.reason] : []));
    expect(won).toHaveLength(1);
    expect(lost.every((error) => error instanceof Anthropic.ConflictError)).toBe(true);
    expect(await versionsOf(id)).toMatchObject([{ version: 2, name: won[0]?.name }, { version: 1 }]);
  });

  it("loses nothing when many change it at once without a version", async () => {
    const { id } = await create();
    const keys = Array.from({ length: 8 }, (_, index) => `key${index}`);
    await Promise.all(keys.map((key) => agents().update(id, { metadata: { [key]: "set" } })));
    const versions = await versionsOf(id);
    expect(versions.map(({ version }) => version)).toEqual([9, 8, 7, 6, 5, 4, 3, 2, 1]);
    expect(versions.map(({ metadata }) => Object.keys(metadata).length)).toEqual([8, 7, 6, 5, 4, 3, 2, 1, 0]);
  });

  it.each([
    ["name", { name: "" }],
    ["name", { name: "x".repeat(257) }],
    ["name", { name: null }],
    ["model", { model: null }],
    ["model", { model: "gpt-0" }],
    ["model.speed", { model: { id: "model-a", speed: "fast" } }],
    ["model.inference_geo", { model: { id: "model-a", inference_geo: "eu" } }],
    ["description", { description: "x".repeat(2049) }],
    ["system", { system: "x".repeat(100_001) }],
    ["tools.0.configs", { tools: [{ ...TOOLSET, configs: [{ name: "bash" }, { name: "bash" }] }] }],
    ["tools.0.configs.0.type", { tools: [{ ...TOOLSET, configs: [{ name: "bash", type: "read" }] }] }],
    ["tools.1.name", { tools: [TOOLSET, { ...LOOKUP, name: "bash" }] }],
    ["metadata", { metadata: Object.fromEntries(Array.from({ length: 15 }, (_, i) => [`key${i}`, ""])) }],
    ["metadata.team", { metadata: { team: "x".repeat(513) } }],
    ["mcp_servers.0", { mcp_servers: [{ type: "url", name: "a", url: "https://a.example" }] }],
    ["skills.0", { skills: [{ type: "anthropic", skill_id: "xlsx" }] }],
    ["multiagent", { multiagent: { type: "coordinator", agents: ["agent_1"] } }],
    [
      "execution_identity.type",
      { execution_identity: { type: "aws_role", role_arn: "arn:aws:iam::123456789012:role/a" } },
    ],
    ["version", { version: 0 }],
    ["colour", { colour: "red" }],
  ])("refuses `%s`, by name, and changes nothing", async (field, params) => {
    const agent = await fullAgent();
    const body = { description: "Other.", ...params };
    await expect(api.client.post(`/v1/agents/${agent.id}`, { body, headers: BETA })).rejects.toSatisfy(
      (error) => error instanceof Anthropic.BadRequestError && error.message.includes(`"${field}: `),
    );
    expect(await versionsOf(agent.id)).toEqual([agent]);
  });

  it("is not possible for another workspace", async () => {
    const agent = await create();
    const { stranger } = api;
    for (const attempt of [
      () => stranger.beta.agents.update(agent.id, { name: "Mine" }),
      () => stranger.beta.agents.archive(agent.id),
      () => stranger.beta.agents.versions.list(agent.id),
    ]) {
      await expect(attempt()).rejects.toBeInstanceOf(Anthropic.NotFoundError);
    }
    expect(await agents().retrieve(agent.id)).toEqual(agent);
  });

  it("counts for new sessions, while those there go on as they are", async () => {
    const session = await createSession(api.client);
    await agents().update(session.agent.id, { system: "New." });
    const params = { agent: session.agent.id, environment_id: session.environment_id };
    expect((await api.client.beta.sessions.create(params)).agent).toEqual({
      ...session.agent,
      version: 2,
      system: "New.",
    });
    expect((await api.client.beta.sessions.retrieve(session.id)).agent).toEqual(session.agent);
  });
});

describe("an agent's versions", () => {
  it("are listed newest first, page by page, each as it was", async () => {
    const first = await create({ metadata: { count: "1" } });
    const second = await agents().update(first.id, { metadata: { count: "2" } });
    const third = await agents().update(first.id, { system: "Be kind." });
    expect(await versionsOf(first.id)).toEqual([third, second, first]);
    const page = await agents().versions.list(first.id, { limit: 2 });
    expect(page.data).toEqual([third, second]);
    expect((await page.getNextPage()).next_page).toBeNull();
    expect((await agents().versions.list(first.id)).data).toHaveLength(3);
  });

  it.each([
    ["another order's", ["asc", 2]],
    ["another list's", ["desc", "next", 1_700_000_000_000, "agent_1"]],
    ["a version that can't be", ["desc", 2 ** 31]],
  ])("refuse the cursor of %s", async (_name, cursor) => {
    const { id } = await create();
    const page = Buffer.from(JSON.stringify(cursor)).toString("base64url");
    await expect(agents().versions.list(id, { page })).rejects.toThrow(/400.*page: /);
  });
});

describe("archiving an agent", () => {
  it("is for good, and the same the second time", async () => {
    const { id, ...agent } = await create();
    const archived = await agents().archive(id);
    expect(archived).toEqual({ id, ...agent, archived_at: expect.any(String) });
    expect(await agents().archive(id)).toEqual(archived);
    expect(await agents().retrieve(id)).toEqual(archived);
    expect(await versionsOf(id)).toEqual([archived]);
  });

  it("ends changes, also those that would change nothing", async () => {
    const { id } = await create();
    await agents().archive(id);
    for (const params of [{ name: "Grace" }, {}, { name: "Grace", version: 7 }]) {
      await expect(agents().update(id, params)).rejects.toThrow(/400.*is archived and can't be changed/);
    }
  });

  it("takes no new sessions, at any version, and lets those there go on", async () => {
    const session = await createSession(api.client);
    await agents().archive(session.agent.id);
    const { environment_id } = session;
    for (const agent of [
      session.agent.id,
      { type: "agent" as const, id: session.agent.id, version: 1 },
      { type: "agent_with_overrides" as const, id: session.agent.id, system: "Mine." },
    ]) {
      await expect(api.client.beta.sessions.create({ agent, environment_id })).rejects.toThrow(
        /400.*agent: .* is archived/,
      );
    }
    const message = { type: "user.message" as const, content: [{ type: "text" as const, text: "Go on." }] };
    const { data } = await api.client.beta.sessions.events.send(session.id, { events: [message] });
    expect(data).toHaveLength(1);
  });
});
