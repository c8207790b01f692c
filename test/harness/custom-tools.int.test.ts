import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { resolveToolset } from "../../src/agents/toolset.ts";
import { EnvironmentBuildError } from "../../src/environments/environment-images.ts";
import type { AgentTool } from "../../src/schemas/agent.ts";
import type { EventOf, EventParams, SessionEvent } from "../../src/schemas/event.ts";
import { calls, says } from "../fakes/messages-answer.ts";
import { textResult } from "../fakes/sandbox.ts";
import { dieAt } from "../support/dying-harness.ts";
import { type HarnessRig, IDLE, spoken, startHarnessRig } from "../support/harness-rig.ts";
import { WORKSPACE } from "../support/session-database.ts";

const RUNNING = ["session.status_running", "session.thread_status_running"];
const REQUEST = ["span.model_request_start", "agent.message", "span.model_request_end"];
const INTERRUPTED = "Tool execution was interrupted before completion. Please retry.";
const lookUp: AgentTool = {
  type: "custom",
  name: "look_up",
  description: "Looks up an order.",
  input_schema: { type: "object", properties: { id: { type: "number" } }, required: null },
};
const toolset = resolveToolset({
  type: "agent_toolset_20260401",
  configs: [{ name: "bash", permission_policy: { type: "always_ask" } }],
});
const order = (id: number) => ({ name: "look_up", input: { id } });
const shell = { name: "bash", input: { command: "ls" } };
const glob = { name: "glob", input: { pattern: "*" } };

let rig: HarnessRig;
beforeAll(async () => {
  rig = await startHarnessRig();
});
afterAll(() => rig.close());
afterEach(() => {
  rig.run = async (op) => textResult(op.op);
});

const newSession = (tools: AgentTool[] = [toolset, lookUp]) => rig.newSession({ agent: { tools } });
const callIds = async (id: string) =>
  (await rig.events(id)).flatMap((event) =>
    event.type === "agent.tool_use" || event.type === "agent.custom_tool_use" ? [event.id] : [],
  );
const stopReasons = async (id: string) =>
  (await rig.events(id)).flatMap((event) => (event.type === "session.status_idle" ? [event.stop_reason] : []));
const result = (callId: string, text = "found", isError = false) => ({
  type: "user.custom_tool_result" as const,
  custom_tool_use_id: callId,
  content: [{ type: "text" as const, text }],
  is_error: isError,
});
const allow = (callId: string) => ({
  type: "user.tool_confirmation" as const,
  tool_use_id: callId,
  result: "allow" as const,
});
const send = (id: string, ...events: EventParams[]) => rig.log.enqueue(WORKSPACE, id, events);
const refusal = (id: string, ...events: EventParams[]) =>
  send(id, ...events).then(
    () => "taken",
    (error: Error) => error.message,
  );
/** What clients' calls got, by call: each list should have one entry. */
async function resultsOf(id: string): Promise<string[][]> {
  const events = await rig.events(id);
  const given = events.filter((event) => event.type === "user.custom_tool_result");
  return events.flatMap((event) =>
    event.type === "agent.custom_tool_use"
      ? [given.filter((one) => one.custom_tool_use_id === event.id).map(textOf)]
      : [],
  );
}
const textOf = ({ content }: EventOf<"user.custom_tool_result">) =>
  (content ?? []).map((block) => (block.type === "text" ? block.text : block.type)).join();
const idsOf = (events: readonly SessionEvent[], type: SessionEvent["type"]) =>
  events.filter((event) => event.type === type).map(({ id }) => id);

/** Runs a new session up to where it waits. */
async function call(...uses: { name: string; input: unknown }[]): Promise<{ id: string; ids: string[] }> {
  const id = await newSession();
  rig.api.queue(calls(...uses));
  await rig.turn(id, "go");
  return { id, ids: await callIds(id) };
}

describe("a client's own tool", () => {
  it("is offered to the model, and a call of it leaves an idle session that holds nothing", async () => {
    const id = await newSession([lookUp]);
    const provisioned = rig.sandboxes.provisioned;
    rig.api.queue(calls(order(7)));
    await rig.turn(id, "go");
    expect(rig.api.requests.at(-1)?.tools).toEqual([
      {
        name: "look_up",
        description: "Looks up an order.",
        input_schema: { type: "object", properties: { id: { type: "number" } } },
      },
    ]);
    const events = await rig.events(id);
    expect(events.map(({ type }) => type)).toEqual([
      "user.message",
      ...RUNNING,
      "span.model_request_start",
      "span.model_request_end",
      "agent.custom_tool_use",
      ...IDLE,
    ]);
    const use = events.find(({ type }) => type === "agent.custom_tool_use");
    expect(use).toMatchObject({ name: "look_up", input: { id: 7 } });
    const stop = { stop_reason: { type: "requires_action", event_ids: [use?.id] }, stop_details: null };
    expect(events.at(-3)).toMatchObject(stop);
    expect(events.at(-1)).toMatchObject(stop);
    expect(await rig.row(id)).toMatchObject({ status: "idle", leaseOwner: null });
    expect(await rig.leases.abandoned(1_000)).not.toContain(id);
    expect(rig.sandboxes.provisioned).toBe(provisioned);
  });

  it.each([
    [false, "seven"],
    [true, "no such order"],
  ])("goes on with its result (an error: %s), which is processed when it is received", async (isError, text) => {
    const { id, ids } = await call(order(7));
    const before = (await rig.types(id)).length;
    rig.api.queue(says("Thanks."));
    const [echo] = await send(id, result(ids[0] ?? "", text, isError));
    expect(echo).toMatchObject({ ...result(ids[0] ?? "", text, isError), processed_at: expect.any(String) });
    expect(await rig.leases.abandoned(1_000)).toContain(id);
    await rig.runSession(id);
    expect((await rig.types(id)).slice(before)).toEqual(["user.custom_tool_result", ...RUNNING, ...REQUEST, ...IDLE]);
    expect((await rig.events(id))[before]).toEqual(echo);
    expect(rig.api.requests.at(-1)?.messages.at(-1)?.content).toMatchObject([
      { type: "tool_result", tool_use_id: ids[0], is_error: isError, content: [{ type: "text", text }] },
    ]);
    expect((await stopReasons(id)).at(-1)).toEqual({ type: "end_turn" });
  });

  it("is waited for together with what people decide on; whatever is left is told again", async () => {
    const { id, ids } = await call(order(1), shell, glob, order(2));
    const [one = "", ask = "", , two = ""] = ids;
    expect(await stopReasons(id)).toEqual([{ type: "requires_action", event_ids: [one, ask, two] }]);
    const begun = rig.sandboxes.begun.length;
    const left: string[][] = [];
    for (const event of [result(two), allow(ask), result(one)]) {
      if (event === undefined) continue;
      const before = (await rig.types(id)).length;
      if (event.type === "user.custom_tool_result" && event.custom_tool_use_id === one) rig.api.queue(says("Done."));
      await send(id, event);
      await rig.runSession(id);
      const stop = (await stopReasons(id)).at(-1);
      if (stop?.type !== "requires_action") break;
      expect((await rig.types(id)).slice(before)).toEqual([event.type, ...IDLE]);
      expect(rig.sandboxes.begun.length).toBe(begun);
      left.push(stop.event_ids);
    }
    expect(left).toEqual([[one, ask], [one]]);
    expect(rig.sandboxes.begun.slice(begun)).toMatchObject([{ op: "bash", command: "ls" }]);
    expect(await resultsOf(id)).toEqual([["found"], ["found"]]);
    expect(spoken(await rig.events(id))).toEqual(["Done."]);
  });

  it("may be answered before the session is idle, which it then is not for its sake", async () => {
    const id = await newSession();
    rig.run = async (op) => {
      await send(id, result((await callIds(id))[0] ?? ""));
      return textResult(op.op);
    };
    rig.api.queue(calls(order(1), glob), says("Done."));
    await rig.turn(id, "go");
    expect(await stopReasons(id)).toEqual([{ type: "end_turn" }]);
    expect(await resultsOf(id)).toEqual([["found"]]);
  });

  it("keeps a message until its result is there", async () => {
    const { id, ids } = await call(order(1));
    const requests = rig.api.requests.length;
    await rig.turn(id, "and hurry");
    expect(await rig.leases.abandoned(1_000)).not.toContain(id);
    expect(rig.api.requests.length).toBe(requests);
    rig.api.queue(says("Done."));
    await send(id, result(ids[0] ?? ""));
    await rig.runSession(id);
    expect(rig.api.requests.at(-1)?.messages.at(-1)?.content).toMatchObject([
      { type: "tool_result" },
      { type: "text", text: "and hurry" },
    ]);
  });

  it.each<[string, string, "tool_use" | "max_tokens"]>([
    ["are broken", '{"id": 7', "tool_use"],
    ["are no object", "[7]", "tool_use"],
    ["were cut off", '{"id": 7}', "max_tokens"],
  ])("is not called with arguments that %s: the model is told instead", async (_name, json, stopReason) => {
    const id = await newSession();
    rig.api.queue({ content: [{ type: "tool_use", name: "look_up", input: {}, json }], stopReason }, says("I see."));
    await rig.turn(id, "go");
    expect((await rig.events(id)).find(({ type }) => type === "agent.tool_use")).toMatchObject({
      evaluated_permission: "deny",
    });
    expect(rig.api.requests.at(-1)?.messages.at(-1)?.content).toMatchObject([
      { type: "tool_result", is_error: true, content: [{ text: expect.stringContaining("no complete JSON object") }] },
    ]);
    expect(await stopReasons(id)).toEqual([{ type: "end_turn" }]);
  });
});

describe("an interrupt", () => {
  it("closes the calls of clients with an error, without asking the model", async () => {
    const { id, ids } = await call(order(1), order(2));
    const requests = rig.api.requests.length;
    const before = (await rig.types(id)).length;
    await send(id, result(ids[1] ?? "", "in time"), { type: "user.interrupt" });
    expect(await refusal(id, result(ids[0] ?? "", "too late"))).toMatch(/is being closed by an interrupt/);
    await rig.runSession(id);
    expect((await rig.types(id)).slice(before)).toEqual([
      "user.custom_tool_result",
      "user.custom_tool_result",
      "user.interrupt",
      ...IDLE,
    ]);
    expect(await resultsOf(id)).toEqual([[INTERRUPTED], ["in time"]]);
    expect((await stopReasons(id)).at(-1)).toEqual({ type: "end_turn" });
    expect(rig.api.requests.length).toBe(requests);
    expect(await refusal(id, result(ids[0] ?? ""))).toMatch(/was answered or closed before/);
    rig.api.queue(says("Here."));
    await rig.turn(id, "still there?");
    expect(spoken(await rig.events(id))).toEqual(["Here."]);
  });
});

describe("a harness that dies", () => {
  it("before it could say that the session waits is followed by one that says it, once", async () => {
    const id = await newSession();
    rig.api.queue(calls(order(1), glob));
    await rig.send(id, "go");
    await dieAt(rig, id, (name) => name === "before_idle");
    await rig.runSession(id);
    expect(await stopReasons(id)).toEqual([{ type: "requires_action", event_ids: [(await callIds(id))[0]] }]);
  });

  it("with a result that it had taken up is followed by one that takes it up, once", async () => {
    const { id, ids } = await call(order(1), shell);
    await send(id, result(ids[0] ?? ""), allow(ids[1] ?? ""));
    await dieAt(rig, id, (name) => name === "before_tool");
    rig.api.queue(says("Done."));
    await rig.runSession(id);
    expect(await resultsOf(id)).toEqual([["found"]]);
    expect(idsOf(await rig.events(id), "agent.tool_result")).toHaveLength(1);
    expect(await rig.log.inbox(id)).toEqual([]);
    expect(spoken(await rig.events(id))).toEqual(["Done."]);
  });
});

describe("a turn that fails while a call is open", () => {
  it("keeps a result that came in time, and closes the others: no call has two", async () => {
    const id = await newSession();
    rig.api.queue(calls(order(1), order(2), glob));
    await rig.send(id, "go", "more");
    await rig.runSession(id, {
      sandboxes: {
        ...rig.deps().sandboxes,
        environments: {
          shapeFor: async () => {
            await send(id, result((await callIds(id))[1] ?? "", "in time"));
            throw new EnvironmentBuildError("apt: no such package");
          },
        },
      },
    });
    expect(await resultsOf(id)).toEqual([[INTERRUPTED], ["in time"]]);
    expect((await stopReasons(id)).at(-1)).toEqual({ type: "retries_exhausted" });
    expect(await rig.log.inbox(id)).toEqual([]);
    rig.api.queue(says("Back."));
    await rig.turn(id, "again");
    expect(spoken(await rig.events(id))).toEqual(["Back."]);
  });
});

describe("a result", () => {
  it("is refused for a call that is unknown, of another session, not a client's, or answered", async () => {
    const { id, ids } = await call(order(1), shell, order(2));
    const [one = "", ask = "", two = ""] = ids;
    const other = await call(order(3));
    expect(await refusal(id, result("sevt_none"))).toMatch(
      /^events\.0\.custom_tool_use_id: .* is not a custom tool call of this session/,
    );
    expect(await refusal(id, result(one), result(other.ids[0] ?? ""))).toMatch(/^events\.1\.custom_tool_use_id: /);
    expect(await refusal(id, result(ask))).toMatch(/is not a custom tool call/);
    expect(await refusal(id, allow(one))).toMatch(/^events\.0\.tool_use_id: .* is not a tool call/);
    expect(await refusal(id, result(one), result(one, "twice"))).toMatch(/answered more than once/);
    expect(await refusal(id, { type: "user.interrupt" }, result(one))).toMatch(/is being closed by an interrupt/);
    expect(await rig.log.inbox(id)).toEqual([]);
    expect(await refusal(id, result(one))).toBe("taken");
    expect(await refusal(id, result(one, "twice"))).toMatch(/was answered or closed before/);
    await rig.runSession(id);
    expect(await refusal(id, result(one, "twice"))).toMatch(/was answered or closed before/);
    expect(await refusal(id, result(two))).toBe("taken");
  });

  it("counts once when many clients answer one call at once, and an interrupt comes between", async () => {
    const { id, ids } = await call(order(1));
    const outcomes = await Promise.all([
      ...Array.from({ length: 20 }, (_, index) => refusal(id, result(ids[0] ?? "", `answer ${index}`))),
      refusal(id, { type: "user.interrupt" }),
    ]);
    expect(outcomes.slice(0, 20).filter((outcome) => outcome === "taken").length).toBeLessThanOrEqual(1);
    await rig.runSession(id);
    expect((await resultsOf(id))[0]).toHaveLength(1);
    expect(await rig.log.inbox(id)).toEqual([]);
  });
});
