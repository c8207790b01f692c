import type Anthropic from "@anthropic-ai/sdk";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startApi, type TestApi } from "../support/api.ts";

type Overrides = Omit<Anthropic.Beta.BetaManagedAgentsAgentWithOverridesParams, "type" | "id">;

const TOOLSET = { type: "agent_toolset_20260401" as const };

const BETA = { "anthropic-beta": "managed-agents-2026-04-01" };

let api: TestApi;
let base: Anthropic.Beta.BetaManagedAgentsAgent;
let environmentId: string;
beforeAll(async () => {
  api = await startApi();
  base = await api.client.beta.agents.create({
    name: "Ada",
    model: { id: "model-a", effort: "low" },
    system: "Be brief.",
    tools: [TOOLSET],
  });
  environmentId = (await api.client.beta.environments.create({ name: "office" })).id;
});
afterAll(() => api.stop());

const start = (overrides: Overrides) =>
  api.client.beta.sessions.create({
    agent: { type: "agent_with_overrides", id: base.id, ...overrides },
    environment_id: environmentId,
  });

describe("an agent with overrides", () => {
  it("is the agent itself where nothing is overridden", async () => {
    const plain = await api.client.beta.sessions.create({ agent: base.id, environment_id: environmentId });
    expect((await start({})).agent).toEqual(plain.agent);
  });

  it("is kept in the session, resolved, and leaves the agent as it is", async () => {
    const session = await start({
      model: { id: "model-b" },
      system: "Be kind.",
      tools: [{ ...TOOLSET, configs: [{ name: "bash", permission_policy: { type: "always_ask" } }] }],
    });
    expect(session.agent).toMatchObject({
      id: base.id,
      version: 1,
      name: "Ada",
      model: { id: "model-b", effort: { type: "high" }, speed: "standard" },
      system: "Be kind.",
    });
    const [toolset] = session.agent.tools;
    if (toolset?.type !== "agent_toolset_20260401") throw new Error("no toolset");
    const asking = toolset.configs.filter((tool) => tool.permission_policy.type === "always_ask");
    expect(asking.map(({ name }) => name)).toEqual(["bash"]);
    expect((await api.client.beta.sessions.retrieve(session.id)).agent).toEqual(session.agent);
    expect(await api.client.beta.agents.retrieve(base.id)).toEqual(base);
    expect((await api.client.beta.agents.versions.list(base.id)).data).toEqual([base]);
  });

  it("inherits each field that is left out, and clears what is null or empty", async () => {
    expect((await start({ system: null })).agent).toMatchObject({ system: null, model: base.model, tools: base.tools });
    expect((await start({ tools: [], mcp_servers: [], skills: [] })).agent).toMatchObject({
      tools: [],
      system: "Be brief.",
      model: base.model,
    });
  });

  it("runs a model that is overridden at the model's default effort, whatever was asked for", async () => {
    for (const model of ["model-a", { id: "model-a", effort: "max" as const }]) {
      expect((await start({ model })).agent.model).toEqual({
        id: "model-a",
        effort: { type: "high" },
        speed: "standard",
      });
    }
  });

  it("is taken at the version that is named", async () => {
    const { id } = await api.client.beta.agents.create({ name: "Old", model: "model-a", system: "One." });
    await api.client.beta.agents.update(id, { name: "New", system: "Two." });
    const at = async (version?: number) =>
      api.client.beta.sessions.create({
        agent: { type: "agent_with_overrides", id, tools: [TOOLSET], ...(version && { version }) },
        environment_id: environmentId,
      });
    expect((await at(1)).agent).toMatchObject({ version: 1, name: "Old", system: "One." });
    expect((await at()).agent).toMatchObject({ version: 2, name: "New", system: "Two." });
    await expect(at(3)).rejects.toThrow(/404.*Version 3 of agent/);
  });

  it.each([
    ["agent.model: agent_model_required", { model: null }],
    ["agent.model: `gpt-0` is not known", { model: "gpt-0" }],
    ["agent.model.id", { model: {} }],
    ["agent.system", { system: "x".repeat(100_001) }],
    ["agent.tools.0.configs", { tools: [{ ...TOOLSET, configs: [{ name: "bash" }, { name: "bash" }] }] }],
    ["agent.tools.1", { tools: [TOOLSET, TOOLSET] }],
    [
      "agent.tools.1.name",
      {
        tools: [TOOLSET, { type: "custom", name: "bash", description: "Mine.", input_schema: { type: "object" } }],
      },
    ],
    ["agent.mcp_servers.0", { mcp_servers: [{ type: "url", name: "a", url: "https://a.example" }] }],
    ["agent.skills.0", { skills: [{ type: "anthropic", skill_id: "xlsx" }] }],
    ["agent.name", { name: "Grace" }],
    ["agent.version", { version: 0 }],
    ["agent.type", { type: "agent_like_that" }],
    ["agent.system", { type: "agent", system: "Mine." }],
  ])("is refused with `%s`, and no session is made", async (field, overrides) => {
    const before = await api.prisma.session.count();
    const body = {
      agent: { type: "agent_with_overrides", id: base.id, ...overrides },
      environment_id: environmentId,
    };
    await expect(api.client.post("/v1/sessions", { body, headers: BETA })).rejects.toThrow(
      new RegExp(`400.*"${field}`),
    );
    expect(await api.prisma.session.count()).toBe(before);
  });

  it("is not there for another workspace", async () => {
    const foreign = await api.stranger.beta.environments.create({ name: "office" });
    const attempt = api.stranger.beta.sessions.create({
      agent: { type: "agent_with_overrides", id: base.id, system: "Mine." },
      environment_id: foreign.id,
    });
    await expect(attempt).rejects.toThrow(/404.*Agent/);
  });
});
