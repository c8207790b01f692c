import Anthropic from "@anthropic-ai/sdk";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startApi, type TestApi } from "../support/api.ts";

let api: TestApi;
beforeAll(async () => {
  api = await startApi();
});
afterAll(() => api.stop());

const create = (params: Partial<Anthropic.Beta.AgentCreateParams> = {}) =>
  api.client.beta.agents.create({ name: "Ada", model: "model-a", ...params });

describe("agents", () => {
  it("are shown in their resolved form", async () => {
    const agent = await create({ tools: [{ type: "agent_toolset_20260401" }], metadata: { team: "ops" } });
    expect(agent).toMatchObject({
      id: expect.stringMatching(/^agent_01/),
      type: "agent",
      version: 1,
      name: "Ada",
      description: null,
      system: null,
      model: { id: "model-a", effort: { type: "high" }, speed: "standard" },
      metadata: { team: "ops" },
      mcp_servers: [],
      skills: [],
      multiagent: null,
      execution_identity: { type: "service_account" },
      archived_at: null,
    });
    expect(agent.tools).toEqual([
      {
        type: "agent_toolset_20260401",
        default_config: { enabled: true, permission_policy: { type: "always_allow" } },
        configs: ["bash", "read", "write", "edit", "glob", "grep"].map((name) => ({
          name,
          type: name,
          enabled: true,
          permission_policy: { type: "always_allow" },
        })),
      },
    ]);
  });

  it("resolve a tool's entry before the default, and effort in both forms", async () => {
    const agent = await create({
      model: { id: "model-b", effort: "low" },
      tools: [
        {
          type: "agent_toolset_20260401",
          default_config: { enabled: false },
          configs: [{ name: "bash", enabled: true }],
        },
      ],
    });
    expect(agent.model).toEqual({ id: "model-b", effort: { type: "low" }, speed: "standard" });
    const [toolset] = agent.tools;
    const enabled = toolset?.type === "agent_toolset_20260401" ? toolset.configs.filter((tool) => tool.enabled) : [];
    expect(enabled.map((tool) => tool.name)).toEqual(["bash"]);
    expect((await create({ model: { id: "model-b", effort: { type: "max" } } })).model.effort).toEqual({ type: "max" });
  });

  it("resolve a tool's permission policy: its entry, else the default, else allowed", async () => {
    const policies = async (toolset: Partial<Anthropic.Beta.BetaManagedAgentsAgentToolset20260401Params>) => {
      const agent = await create({ tools: [{ type: "agent_toolset_20260401", ...toolset }] });
      const [resolved] = agent.tools;
      if (resolved?.type !== "agent_toolset_20260401") throw new Error("no toolset");
      const asking = resolved.configs.filter((tool) => tool.permission_policy.type === "always_ask");
      return [resolved.default_config.permission_policy.type, asking.map(({ name }) => name)];
    };
    const ask = { type: "always_ask" as const };
    const allow = { type: "always_allow" as const };
    expect(await policies({ configs: [{ name: "bash", permission_policy: ask }] })).toEqual(["always_allow", ["bash"]]);
    expect(
      await policies({
        default_config: { permission_policy: ask },
        configs: [
          { name: "read", permission_policy: allow },
          { name: "glob", enabled: false },
        ],
      }),
    ).toEqual(["always_ask", ["bash", "write", "edit", "glob", "grep"]]);
  });

  it("are the same when they are read back, at the latest version or a given one", async () => {
    const agent = await create();
    expect(await api.client.beta.agents.retrieve(agent.id)).toEqual(agent);
    expect(await api.client.beta.agents.retrieve(agent.id, { version: 1 })).toEqual(agent);
    await expect(api.client.beta.agents.retrieve(agent.id, { version: 2 })).rejects.toBeInstanceOf(
      Anthropic.NotFoundError,
    );
  });

  it("refuse an unknown model and name the known ones", async () => {
    await expect(create({ model: "gpt-0" })).rejects.toThrow(/model: `gpt-0` is not known.*model-c, model-b, model-a/);
  });

  it.each([
    ["tools.0.configs", { tools: [{ type: "agent_toolset_20260401", configs: [{ name: "bash" }, { name: "bash" }] }] }],
    [
      "tools.0.default_config.permission_policy.type",
      { tools: [{ type: "agent_toolset_20260401", default_config: { permission_policy: { type: "auto" } } }] },
    ],
    [
      "tools.0.configs.0.permission_policy.type",
      { tools: [{ type: "agent_toolset_20260401", configs: [{ name: "bash", permission_policy: { type: "auto" } }] }] },
    ],
    ["metadata", { metadata: Object.fromEntries(Array.from({ length: 17 }, (_, i) => [`key${i}`, ""])) }],
    ["system", { system: "x".repeat(100_001) }],
    ["name", { name: "" }],
    ["description", { description: "x".repeat(2049) }],
    ["skills.0", { skills: [{ type: "anthropic", skill_id: "xlsx" }] }],
    ["multiagent", { multiagent: { type: "coordinator", agents: ["agent_1"] } }],
    ["execution_identity.type", { execution_identity: { type: "aws_role", role_arn: "arn:aws:iam::1:role/a" } }],
    ["mcp_servers.0", { mcp_servers: [{ type: "url", name: "a", url: "https://a.example" }] }],
  ] satisfies [string, Partial<Anthropic.Beta.AgentCreateParams>][])("refuse a bad `%s`", async (field, params) => {
    await expect(create(params)).rejects.toSatisfy(
      (error) => error instanceof Anthropic.BadRequestError && error.message.includes(`${field}: `),
    );
  });

  it("are not there for another workspace", async () => {
    const { id } = await create();
    await expect(api.stranger.beta.agents.retrieve(id)).rejects.toBeInstanceOf(Anthropic.NotFoundError);
    expect((await api.stranger.beta.agents.list()).data).toEqual([]);
  });

  it("are listed without the archived ones unless asked for", async () => {
    const { id } = await create({ name: "Old" });
    await api.client.beta.agents.archive(id);
    const listed = async (include_archived: boolean) =>
      (await api.client.beta.agents.list({ include_archived, limit: 100 })).data.map((agent) => agent.id);
    expect(await listed(false)).not.toContain(id);
    expect(await listed(true)).toContain(id);
  });

  it("are listed by when they were created, bounds included, each at its latest version", async () => {
    const made = [];
    for (const [index, day] of ["01", "02", "03"].entries()) {
      const { id } = await create({ name: `Ada ${index}` });
      const createdAt = new Date(`2026-01-${day}T00:00:00.000Z`);
      await api.prisma.agent.update({ where: { id }, data: { createdAt } });
      made.push(await api.client.beta.agents.update(id, { name: `Grace ${index}` }));
    }
    const [first, second, third] = made;
    const listed = async (params: Anthropic.Beta.AgentListParams) =>
      (await api.client.beta.agents.list({ "created_at[lte]": "2026-01-03T00:00:00Z", ...params })).data;
    expect(await listed({})).toEqual([third, second, first]);
    expect(await listed({ "created_at[gte]": "2026-01-02T00:00:00Z" })).toEqual([third, second]);
    expect(await listed({ "created_at[lte]": "2026-01-02T00:00:00Z" })).toEqual([second, first]);
    const { next_page: page } = await api.client.beta.agents.list({
      "created_at[lte]": "2026-01-03T00:00:00Z",
      limit: 2,
    });
    expect(await listed({ page })).toEqual([first]);
    await expect(listed({ page, "created_at[lte]": "2026-01-01T00:00:00Z" })).rejects.toThrow(/400.*page: /);
  });
});
