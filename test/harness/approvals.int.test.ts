import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { resolveToolset } from "../../src/agents/toolset.ts";
import type { SessionEvent } from "../../src/schemas/event.ts";
import { bash, calls, says } from "../fakes/messages-answer.ts";
import { textResult } from "../fakes/sandbox.ts";
import { dieAt } from "../support/dying-harness.ts";
import { type HarnessRig, IDLE, resultsByCall, spoken, startHarnessRig } from "../support/harness-rig.ts";
import { WORKSPACE } from "../support/session-database.ts";

const RUNNING = ["session.status_running", "session.thread_status_running"];
const REQUEST = ["span.model_request_start", "span.model_request_end"];
const INTERRUPTED = { isError: true, text: "Tool execution was interrupted before completion. Please retry." };
const tools = [
  resolveToolset({
    type: "agent_toolset_20260401",
    configs: [{ name: "bash", permission_policy: { type: "always_ask" } }],
  }),
];
const command = (name: string) => ({ name: "bash", input: { command: name } });
const glob = { name: "glob", input: { pattern: "*" } };

let rig: HarnessRig;
beforeAll(async () => {
  rig = await startHarnessRig();
});
afterAll(() => rig.close());
afterEach(() => {
  rig.run = async (op) => textResult(op.op === "bash" ? `ran ${op.command}` : op.op);
  rig.sandboxes.outputs.clear();
});

const newSession = () => rig.newSession({ agent: { tools } });
const callIds = async (id: string) =>
  (await rig.events(id)).flatMap((event) => (event.type === "agent.tool_use" ? [event.id] : []));
const stopReasons = async (id: string) =>
  (await rig.events(id)).flatMap((event) => (event.type === "session.status_idle" ? [event.stop_reason] : []));
const commands = (from: number) =>
  rig.sandboxes.begun.slice(from).map((op) => (op.op === "bash" ? op.command : `a ${op.op}`));
const decision = (callId: string, result: "allow" | "deny" = "allow", reason?: string) => ({
  type: "user.tool_confirmation" as const,
  tool_use_id: callId,
  result,
  ...(reason !== undefined && { deny_message: reason }),
});
const decide = (id: string, ...decisions: ReturnType<typeof decision>[]) => rig.log.enqueue(WORKSPACE, id, decisions);

/** Runs a new session up to where it waits for people. */
async function ask(...commandsAsked: string[]): Promise<{ id: string; asked: string[] }> {
  const id = await newSession();
  rig.api.queue(calls(...commandsAsked.map(command)));
  await rig.turn(id, "go");
  return { id, asked: await callIds(id) };
}

describe("a call that people must approve", () => {
  it("is in the log, then the session is idle, holds nothing and is nobody's work", async () => {
    const provisioned = rig.sandboxes.provisioned;
    const { id, asked } = await ask("rm -r old");
    const events = await rig.events(id);
    expect(events.map(({ type }) => type)).toEqual(["user.message", ...RUNNING, ...REQUEST, "agent.tool_use", ...IDLE]);
    expect(events.find(({ type }) => type === "agent.tool_use")).toMatchObject({
      evaluated_permission: "ask",
      evaluation: { type: "always_ask" },
    });
    const stop = { stop_reason: { type: "requires_action", event_ids: asked }, stop_details: null };
    expect(events.at(-3)).toMatchObject(stop);
    expect(events.at(-1)).toMatchObject(stop);
    expect(await rig.row(id)).toMatchObject({ status: "idle", leaseOwner: null, leaseExpiresAt: null });
    expect(await rig.leases.abandoned(1_000)).not.toContain(id);
    expect(rig.sandboxes.provisioned).toBe(provisioned);
  });

  it("runs once it is allowed, and the turn goes on", async () => {
    const { id, asked } = await ask("rm -r old");
    const before = (await rig.types(id)).length;
    rig.api.queue(says("Gone."));
    await decide(id, ...asked.map((call) => decision(call)));
    expect(await rig.leases.abandoned(1_000)).toContain(id);
    await rig.runSession(id);
    expect((await rig.types(id)).slice(before)).toEqual([
      "user.tool_confirmation",
      ...RUNNING,
      "agent.tool_result",
      "span.model_request_start",
      "agent.message",
      "span.model_request_end",
      ...IDLE,
    ]);
    expect(resultsByCall(await rig.events(id))).toEqual([[{ isError: false, text: "ran rm -r old" }]]);
    expect((await stopReasons(id)).at(-1)).toEqual({ type: "end_turn" });
  });

  it("does not run when it is refused, and the model learns why", async () => {
    const { id, asked } = await ask("rm -r old");
    const begun = rig.sandboxes.begun.length;
    rig.api.queue(says("Then I leave it."));
    await decide(id, ...asked.map((call) => decision(call, "deny", "Archive it instead.")));
    await rig.runSession(id);
    expect(rig.sandboxes.begun.length).toBe(begun);
    const [[result]] = resultsByCall(await rig.events(id)) as [[{ isError: boolean; text: string }]];
    expect(result).toMatchObject({ isError: true, text: expect.stringContaining("Archive it instead.") });
    expect(rig.api.requests.at(-1)?.messages.at(-1)?.content[0]).toMatchObject({ type: "tool_result", is_error: true });
    expect(spoken(await rig.events(id))).toEqual(["Then I leave it."]);
  });

  it("does not hold up the other calls of its answer, and their files are there for those who decide", async () => {
    const id = await newSession();
    rig.run = async (op) => {
      rig.sandboxes.outputs.set("plan.txt", "delete it all");
      return textResult(op.op);
    };
    rig.api.queue(calls(command("a"), glob));
    await rig.turn(id, "go");
    const [asked, allowed] = await callIds(id);
    const events = await rig.events(id);
    expect(events.slice(-4)).toMatchObject([
      { type: "agent.tool_result", tool_use_id: allowed },
      ...IDLE.map((type) => ({ type })),
    ]);
    expect(await stopReasons(id)).toEqual([{ type: "requires_action", event_ids: [asked] }]);
    expect(rig.saved.get("plan.txt")).toBe("delete it all");
  });

  it("runs only when all that were asked for with it are decided; until then those that are left are told again", async () => {
    const { id, asked } = await ask("a", "b", "c");
    const [a = "", b = "", c = ""] = asked;
    const begun = rig.sandboxes.begun.length;
    const before = (await rig.types(id)).length;
    await decide(id, decision(b));
    await rig.runSession(id);
    expect((await rig.types(id)).slice(before)).toEqual(["user.tool_confirmation", ...IDLE]);
    expect((await stopReasons(id)).at(-1)).toEqual({ type: "requires_action", event_ids: [a, c] });
    expect(rig.sandboxes.begun.length).toBe(begun);
    rig.api.queue(says("Done."));
    await decide(id, decision(c), decision(a, "deny"));
    await rig.runSession(id);
    expect(commands(begun)).toEqual(["b", "c"]);
    expect(resultsByCall(await rig.events(id)).map(([result]) => result?.isError)).toEqual([true, false, false]);
    expect(spoken(await rig.events(id))).toEqual(["Done."]);
  });

  it("may be decided before the session is idle, which it then is not for its sake", async () => {
    const id = await newSession();
    rig.run = async (op) => {
      if (op.op === "glob") await decide(id, decision((await callIds(id))[0] ?? ""));
      return textResult(op.op);
    };
    rig.api.queue(calls(command("a"), glob), says("Done."));
    await rig.turn(id, "go");
    expect(await stopReasons(id)).toEqual([{ type: "end_turn" }]);
    expect(spoken(await rig.events(id))).toEqual(["Done."]);
  });

  it("may be decided in the very instant in which the session goes idle", async () => {
    const id = await newSession();
    rig.api.queue(calls(command("a"), glob), says("Done."));
    await rig.send(id, "go");
    let decided = false;
    await rig.runSession(id, {
      crashPoint: async (name) => {
        if (name !== "before_idle" || decided) return;
        decided = true;
        await decide(id, decision((await callIds(id))[0] ?? ""));
      },
    });
    expect(await stopReasons(id)).toEqual([{ type: "end_turn" }]);
    expect(spoken(await rig.events(id))).toEqual(["Done."]);
  });

  it("may be followed by others, each of which is asked for", async () => {
    const { id } = await ask("one");
    rig.api.queue(bash("two"), bash("three"), says("All done."));
    for (let round = 0; round < 3; round += 1) {
      await decide(id, decision((await callIds(id)).at(-1) ?? ""));
      await rig.runSession(id);
    }
    expect((await stopReasons(id)).map(({ type }) => type)).toEqual([
      ...Array.from({ length: 3 }, () => "requires_action"),
      "end_turn",
    ]);
    expect(spoken(await rig.events(id))).toEqual(["All done."]);
  });

  it("is not asked for when it can't run anyway", async () => {
    const id = await newSession();
    rig.api.queue(calls({ name: "bash", input: { cmd: "ls" } }, { name: "teleport", input: {} }), says("I see."));
    await rig.turn(id, "go");
    const uses = (await rig.events(id)).filter((event) => event.type === "agent.tool_use");
    for (const use of uses) {
      expect(use).toMatchObject({ evaluated_permission: "deny" });
      expect(use).not.toHaveProperty("evaluation");
    }
    expect(resultsByCall(await rig.events(id)).flat()).toMatchObject([{ isError: true }, { isError: true }]);
    expect(spoken(await rig.events(id))).toEqual(["I see."]);
  });
});

describe("a session that waits for people", () => {
  it("keeps a message until they have decided, and is nobody's work for its sake", async () => {
    const { id, asked } = await ask("a");
    const requests = rig.api.requests.length;
    const before = (await rig.types(id)).length;
    await rig.send(id, "use the new folder");
    expect(await rig.leases.abandoned(1_000)).toContain(id);
    await rig.runSession(id);
    expect(await rig.leases.abandoned(1_000)).not.toContain(id);
    expect(await rig.leases.acquire(id, "nobody")).toBeNull();
    expect((await rig.types(id)).length).toBe(before);
    expect(await rig.log.inbox(id)).toMatchObject([{ type: "user.message", processed_at: null }]);
    expect(rig.api.requests.length).toBe(requests);

    rig.api.queue(says("The new one."));
    await decide(id, ...asked.map((call) => decision(call)));
    await rig.runSession(id);
    expect(rig.api.requests.length).toBe(requests + 1);
    expect(rig.api.requests.at(-1)?.messages.at(-1)?.content).toMatchObject([
      { type: "tool_result" },
      { type: "text", text: "use the new folder" },
    ]);
    expect(await rig.row(id)).toMatchObject({ status: "idle", queuedCount: 0, heldCount: 0 });
  });

  it("closes all calls when it is interrupted, without asking the model", async () => {
    const { id, asked } = await ask("a", "b");
    const requests = rig.api.requests.length;
    const before = (await rig.types(id)).length;
    await decide(id, decision(asked[1] ?? "", "deny", "not today"));
    await rig.turn(id, null);
    expect((await rig.types(id)).slice(before)).toEqual([
      "user.tool_confirmation",
      "agent.tool_result",
      "agent.tool_result",
      "user.interrupt",
      ...IDLE,
    ]);
    expect(resultsByCall(await rig.events(id))).toEqual([
      [INTERRUPTED],
      [{ isError: true, text: expect.stringContaining("not today") }],
    ]);
    expect((await stopReasons(id)).at(-1)).toEqual({ type: "end_turn" });
    expect(rig.api.requests.length).toBe(requests);
    expect(await rig.leases.abandoned(1_000)).not.toContain(id);
    await expect(decide(id, decision(asked[0] ?? ""))).rejects.toThrow(/was confirmed or closed before/);
  });

  it("starts the next turn with what was sent after the interrupt", async () => {
    const { id } = await ask("a");
    rig.api.queue(says("What else?"));
    await rig.turn(id, "held back", null, "something else");
    const types = await rig.types(id);
    expect(types.slice(types.indexOf("user.interrupt"))).toEqual([
      "user.interrupt",
      ...IDLE,
      "user.message",
      ...RUNNING,
      "span.model_request_start",
      "agent.message",
      "span.model_request_end",
      ...IDLE,
    ]);
    expect(spoken(await rig.events(id))).toEqual(["What else?"]);
  });

  it("is still found when its harness dies between the interrupt and what was sent after it", async () => {
    const { id } = await ask("a");
    await rig.turn(id, "held back");
    rig.api.queue(says("Here."));
    await rig.send(id, null, "are you there?");
    await dieAt(rig, id, (name) => name === "before_idle" || name === "before_model");
    await rig.runSession(id);
    expect(spoken(await rig.events(id))).toEqual(["Here."]);
    expect((await rig.types(id)).slice(-3)).toEqual(IDLE);
  });
});

describe("a harness that dies", () => {
  const results = async (id: string) => resultsByCall(await rig.events(id));

  it("before it could say that the session waits is followed by one that says it, once", async () => {
    const id = await newSession();
    const begun = rig.sandboxes.begun.length;
    rig.api.queue(calls(command("a"), glob));
    await rig.send(id, "go");
    await dieAt(rig, id, (name) => name === "before_idle");
    await rig.runSession(id);
    expect(await stopReasons(id)).toEqual([{ type: "requires_action", event_ids: [(await callIds(id))[0]] }]);
    expect(commands(begun)).toEqual(["a glob"]);
  });

  it.each(["before_tool", "after_tool"] as const)(
    "%s, between the confirmation and the result, is followed by one that runs nothing twice",
    async (point) => {
      const { id, asked } = await ask("a", "b", "c");
      const begun = rig.sandboxes.begun.length;
      await decide(id, ...asked.map((call, index) => decision(call, index === 1 ? "deny" : "allow")));
      await dieAt(rig, id, (name) => name === point);
      rig.api.queue(says("Both ran."));
      await rig.runSession(id);
      expect(commands(begun)).toEqual(["a", "c"]);
      expect((await results(id)).map((of) => of.map(({ isError }) => isError))).toEqual([[false], [true], [false]]);
      expect((await rig.types(id)).filter((type) => type === "user.tool_confirmation")).toHaveLength(3);
      expect(spoken(await rig.events(id))).toEqual(["Both ran."]);
    },
  );

  it("with its sandbox, after it was allowed to run a call, leaves a call whose outcome is unknown", async () => {
    const { id, asked } = await ask("a");
    const begun = rig.sandboxes.begun.length;
    await decide(id, ...asked.map((call) => decision(call)));
    await dieAt(rig, id, (name) => name === "after_tool");
    rig.sandboxes.loseAll();
    rig.api.queue(says("I will check."));
    await rig.runSession(id);
    expect(commands(begun)).toEqual(["a"]);
    expect(await results(id)).toEqual([[{ isError: true, text: expect.stringContaining("unknown") }]]);
  });

  it("long before: a sandbox that was lost while people thought about it does not hide that nothing ran", async () => {
    const id = await newSession();
    rig.api.queue(calls(glob, command("a"), command("b")));
    await rig.turn(id, "go");
    const [, a = "", b = ""] = await callIds(id);
    const begun = rig.sandboxes.begun.length;
    await decide(id, decision(a));
    await rig.runSession(id);
    rig.sandboxes.loseAll();
    rig.api.queue(says("Done."));
    await decide(id, decision(b));
    await rig.runSession(id);
    expect(commands(begun)).toEqual(["a", "b"]);
    expect((await results(id)).map(([result]) => result?.isError)).toEqual([false, false, false]);
  });
});

describe("a confirmation", () => {
  const refusal = (id: string, ...decisions: ReturnType<typeof decision>[]) =>
    decide(id, ...decisions).then(
      () => "taken",
      (error: Error) => error.message,
    );

  it("is refused for a call that is unknown, of another session, not asked for, or decided", async () => {
    const { id, asked } = await ask("a", "b");
    const [a = "", b = ""] = asked;
    const other = await ask("c");
    const inbox = () => rig.log.inbox(id);
    expect(await refusal(id, decision("sevt_none"))).toMatch(/^events\.0\.tool_use_id: .* is not a tool call/);
    expect(await refusal(id, decision(a), decision(other.asked[0] ?? ""))).toMatch(
      /^events\.1\.tool_use_id: .* is not/,
    );
    const message = (await rig.events(id)).find((event: SessionEvent) => event.type === "user.message");
    expect(await refusal(id, decision(message?.id ?? ""))).toMatch(/is not a tool call/);
    expect(await refusal(id, decision(a), decision(a, "deny"))).toMatch(/more than once/);
    expect(await inbox()).toEqual([]);
    expect(await refusal(id, decision(a))).toBe("taken");
    expect(await refusal(id, decision(a, "deny"))).toMatch(/was confirmed or closed before/);
    await rig.runSession(id);
    expect(await refusal(id, decision(a, "deny"))).toMatch(/was confirmed or closed before/);
    rig.api.queue(says("Done."));
    expect(await refusal(id, decision(b))).toBe("taken");
    await rig.runSession(id);
    expect(await refusal(id, decision(b))).toMatch(/was confirmed or closed before/);

    const plain = await rig.newSession();
    rig.api.queue(bash("ls"), says("Done."));
    await rig.turn(plain, "go");
    expect(await refusal(plain, decision((await callIds(plain))[0] ?? ""))).toMatch(/does not ask for a confirmation/);
    expect(await rig.row(plain)).toMatchObject({ queuedCount: 0 });
  });

  it("counts once when many people decide on one call at once", async () => {
    const { id, asked } = await ask("a");
    const outcomes = await Promise.all(
      Array.from({ length: 20 }, (_, index) =>
        refusal(id, decision(asked[0] ?? "", index % 2 === 0 ? "allow" : "deny")),
      ),
    );
    expect(outcomes.filter((outcome) => outcome === "taken")).toHaveLength(1);
    expect(await rig.row(id)).toMatchObject({ queuedCount: 1 });
  });

  it("that meets an interrupt of the same call changes nothing, and leaves a session that works", async () => {
    const { id, asked } = await ask("a");
    const begun = rig.sandboxes.begun.length;
    await Promise.all([rig.send(id, null), decide(id, decision(asked[0] ?? ""))]);
    await rig.runSession(id);
    expect(rig.sandboxes.begun.length).toBe(begun);
    expect(await results(id)).toEqual([[INTERRUPTED]]);
    rig.api.queue(says("Still here."));
    await rig.turn(id, "hello?");
    expect(spoken(await rig.events(id))).toEqual(["Still here."]);
  });

  const results = async (id: string) => resultsByCall(await rig.events(id));
});
