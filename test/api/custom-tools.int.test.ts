import { betaTool } from "@anthropic-ai/sdk/helpers/beta/json-schema";
import type Anthropic from "@anthropic-ai/sdk";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { runSession } from "../../src/harness/run-session.ts";
import { createLeases } from "../../src/sessions/lease.ts";
import { calls, says } from "../fakes/messages-answer.ts";
import { createSession, startApi, type TestApi, userMessage } from "../support/api.ts";
import { type HarnessRig, startHarnessRig } from "../support/harness-rig.ts";

const MODEL = "claude-sonnet-4-6";
const LEASE_MS = 2_000;
const lookUp = {
  type: "custom" as const,
  name: "look_up",
  description: "Looks up an order.",
  input_schema: {
    type: "object" as const,
    properties: { id: { type: "number", minimum: 1 } },
    required: ["id"],
    additionalProperties: false,
  },
};
type Tools = NonNullable<Anthropic.Beta.AgentCreateParams["tools"]>;

let api: TestApi;
let rig: HarnessRig;
const stopping = new AbortController();
const runs = new Set<Promise<void>>();

/** The harness on the API's own database; every hint runs it. */
async function hintRun(sessionId: string): Promise<void> {
  const run = runSession(
    rig.deps({
      log: api.eventLog,
      leases: createLeases(api.pool, LEASE_MS),
      wakeups: api.wakeups,
      leaseMs: LEASE_MS,
      findModel: () => rig.deps().findModel(MODEL),
    }),
    sessionId,
    stopping.signal,
  ).finally(() => runs.delete(run));
  runs.add(run);
}

beforeAll(async () => {
  rig = await startHarnessRig();
  api = await startApi({ hintRun });
});
afterAll(async () => {
  stopping.abort();
  await Promise.all(runs);
  await api.stop();
  await rig.close();
});

const newAgent = (tools: Tools) => api.client.beta.agents.create({ name: "Ada", model: "model-a", tools });
async function newSession(tools: Tools = [lookUp]) {
  const agent = await newAgent(tools);
  return createSession(api.client, { agent: agent.id });
}
async function eventsOf(id: string) {
  const events = [];
  for await (const event of api.client.beta.sessions.events.list(id, { limit: 1000 })) events.push(event);
  return events;
}

describe("an agent's custom tools", () => {
  it("are echoed as they were given, and copied to its sessions", async () => {
    const tools = [lookUp, { type: "agent_toolset_20260401" as const }];
    const agent = await newAgent(tools);
    expect(agent.tools).toMatchObject([lookUp, { type: "agent_toolset_20260401", configs: expect.any(Array) }]);
    expect(agent.tools[0]).toEqual(lookUp);
    expect((await newSession(tools)).agent.tools[0]).toEqual(lookUp);
    const bare = { ...lookUp, name: "a".repeat(128), input_schema: { type: "object" as const, properties: null } };
    expect((await newAgent([bare])).tools).toEqual([bare]);
  });

  it.each<[string, Tools, RegExp, string?]>([
    ["a name with other characters", [{ ...lookUp, name: "look up" }], /tools\.0\.name/],
    ["a name that is too long", [{ ...lookUp, name: "a".repeat(129) }], /tools\.0\.name/],
    ["no description", [{ ...lookUp, description: "" }], /tools\.0\.description/],
    [
      "a schema of no object",
      [{ ...lookUp, input_schema: { type: "array" } as never }],
      /tools\.0\.input_schema\.type/,
    ],
    ["the name of another", [lookUp, lookUp], /tools\.1\.name/, "tool_name_conflict"],
    [
      "the name of a built-in tool that is offered too",
      [{ type: "agent_toolset_20260401" }, { ...lookUp, name: "bash" }],
      /tools\.1\.name/,
      "tool_name_conflict",
    ],
    [
      "too many others",
      [
        { type: "agent_toolset_20260401" },
        ...Array.from({ length: 255 }, (_, index) => ({ ...lookUp, name: `t${index}` })),
      ],
      /tools/,
      "available_tools_limit_exceeded",
    ],
  ])("are refused with %s", async (_name, tools, message, code) => {
    const error = await newAgent(tools).then(
      () => null,
      (thrown: { status: number; message: string; error: unknown }) => thrown,
    );
    expect(error?.status).toBe(400);
    expect(error?.message).toMatch(message);
    if (code) expect(error?.error).toMatchObject({ error: { details: { error_code: code } } });
  });

  it("may take the place of a built-in tool that is not offered", async () => {
    const own = { ...lookUp, name: "bash" };
    const toolset = { type: "agent_toolset_20260401" as const, configs: [{ name: "bash" as const, enabled: false }] };
    expect((await newAgent([toolset, own])).tools[1]).toEqual(own);
    expect((await newAgent([own])).tools).toEqual([own]);
  });
});

describe("the SDK's tool runner", () => {
  it("answers calls of custom tools until the turn is over, one with an error, also when it comes late", async () => {
    const { id } = await newSession();
    rig.api.queue(
      calls({ name: "look_up", input: { id: 7 } }, { name: "look_up", input: { id: 8 } }),
      calls({ name: "look_up", input: { id: 9 } }),
      says("All found."),
    );
    const asked: number[] = [];
    const tool = betaTool({
      name: "look_up",
      description: lookUp.description,
      inputSchema: { type: "object", properties: { id: { type: "number" } }, required: ["id"] },
      run: ({ id: order }) => {
        asked.push(order);
        if (order === 8) throw new Error("no such order");
        return [
          { type: "text", text: `order ${order}` },
          { type: "search_result", source: "shop", title: "Orders", content: [{ type: "text", text: "paid" }] },
        ];
      },
    });
    await api.client.beta.sessions.events.send(id, { events: [userMessage("where are they?")] });
    await Promise.all(runs);
    expect((await api.client.beta.sessions.retrieve(id)).status).toBe("idle");

    const answered = [];
    for await (const call of api.client.beta.sessions.events.toolRunner(id, { tools: [tool], maxIdleMs: 100 })) {
      answered.push({ name: call.name, posted: call.posted, isError: call.isError });
    }
    expect(asked.toSorted((a, b) => a - b)).toEqual([7, 8, 9]);
    expect(answered.toSorted((a, b) => Number(a.isError) - Number(b.isError))).toEqual([
      { name: "look_up", posted: true, isError: false },
      { name: "look_up", posted: true, isError: false },
      { name: "look_up", posted: true, isError: true },
    ]);
    const events = await eventsOf(id);
    const uses = events.flatMap((event) => (event.type === "agent.custom_tool_use" ? [event.id] : []));
    const results = events.flatMap((event) => (event.type === "user.custom_tool_result" ? [event] : []));
    expect(results.map((event) => event.custom_tool_use_id).toSorted()).toEqual(uses.toSorted());
    const seen = JSON.stringify(rig.api.requests.map(({ messages }) => messages));
    for (const text of ["order 7", "no such order", "order 9", "Orders\\nshop\\npaid"]) expect(seen).toContain(text);
    expect(events.at(-1)).toMatchObject({ type: "session.status_idle", stop_reason: { type: "end_turn" } });
    expect(events.findLast(({ type }) => type === "agent.message")).toMatchObject({
      content: [{ text: "All found." }],
    });
  });

  it("has nothing to answer after an interrupt has closed the calls", async () => {
    const { id } = await newSession();
    rig.api.queue(calls({ name: "look_up", input: { id: 7 } }));
    const { events } = api.client.beta.sessions;
    await events.send(id, { events: [userMessage("go")] });
    await Promise.all(runs);
    await events.send(id, { events: [{ type: "user.interrupt" }] });
    await Promise.all(runs);
    const tool = betaTool({
      name: "look_up",
      description: lookUp.description,
      inputSchema: { type: "object", properties: {} },
      run: () => "never",
    });
    for await (const call of events.toolRunner(id, { tools: [tool], maxIdleMs: 100 })) expect(call).toBeNull();
  });
});

describe("sending a result", () => {
  it("is echoed as processed, and refused with the field's name when nothing waits for it", async () => {
    const { id } = await newSession();
    rig.api.queue(calls({ name: "look_up", input: { id: 7 } }), says("Thanks."));
    const { events } = api.client.beta.sessions;
    await events.send(id, { events: [userMessage("go")] });
    await Promise.all(runs);
    const use = (await eventsOf(id)).find(({ type }) => type === "agent.custom_tool_use");
    const result = { type: "user.custom_tool_result" as const, custom_tool_use_id: use?.id ?? "" };
    await expect(
      events.send(id, { events: [userMessage("x"), { ...result, custom_tool_use_id: "sevt_none" }] }),
    ).rejects.toThrow(/400.*events\.1\.custom_tool_use_id/);
    await expect(events.send(id, { events: [{ ...result, is_error: "no" } as never] })).rejects.toThrow(
      /400.*events\.0\.is_error/,
    );
    const { data } = await events.send(id, { events: [result] });
    expect(data).toEqual([{ ...result, id: expect.stringMatching(/^sevt_/), processed_at: expect.any(String) }]);
    await expect(events.send(id, { events: [result] })).rejects.toMatchObject({
      status: 400,
      error: { error: { details: { error_code: "tool_call_already_resolved" } } },
    });
    await Promise.all(runs);
    expect((await eventsOf(id)).find(({ type }) => type === "user.custom_tool_result")).toEqual(data?.[0]);
  });
});
