import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { EventOf } from "../../src/schemas/event.ts";
import { bash, gate, refuses, says } from "../fakes/messages-answer.ts";
import { textResult } from "../fakes/sandbox.ts";
import { type HarnessRig, IDLE, resultsByCall, spoken, startHarnessRig } from "../support/harness-rig.ts";

const RESCHEDULED = ["session.error", "session.status_rescheduled", "session.thread_status_rescheduled"];

describe("when the model fails", () => {
  let rig: HarnessRig;
  beforeAll(async () => {
    rig = await startHarnessRig({ silenceTimeoutMs: 1_000 });
  });
  afterAll(() => rig.close());

  const errors = async (id: string) =>
    (await rig.events(id)).filter((event): event is EventOf<"session.error"> => event.type === "session.error");
  /** As the worker does: look again whenever a hint comes and the pause is over. */
  const runUntilIdle = async (id: string) => {
    for (let looks = 0; looks < 50 && (await rig.row(id)).status !== "idle"; looks++) {
      await rig.prisma.session.update({ where: { id }, data: { wakeAt: new Date(0) } });
      await rig.runSession(id);
    }
  };

  it.each([
    ["429", refuses(429), "model_rate_limited_error"],
    ["500", refuses(500), "model_request_failed_error"],
    ["529", refuses(529), "model_overloaded_error"],
    ["an error in mid-stream", { ...says("a", "b", "c"), ending: "error_frame" as const }, "model_overloaded_error"],
    ["a cut connection", { ...says("a", "b", "c"), ending: "cut" as const }, "model_request_failed_error"],
    ["broken JSON", { ...says("a", "b", "c"), ending: "broken_json" as const }, "model_request_failed_error"],
    ["silence", { ...says("a", "b", "c"), ending: "silence" as const }, "model_request_failed_error"],
  ])("%s: pauses, tries again and succeeds, with no trace of the failed answer", async (_name, failure, type) => {
    const id = await rig.newSession();
    rig.api.queue(failure, says("At last."));
    await rig.turn(id, "hi");
    expect((await rig.row(id)).status).toBe("rescheduling");
    expect((await rig.types(id)).slice(-4)).toEqual(["span.model_request_end", ...RESCHEDULED]);
    expect(rig.hinted.at(-1)).toBe(id);
    await runUntilIdle(id);
    expect(spoken(await rig.events(id))).toEqual(["At last."]);
    expect(await errors(id)).toMatchObject([{ error: { type, retry_status: { type: "retrying" } } }]);
  });

  it("says so when the model declines", async () => {
    const id = await rig.newSession();
    rig.api.queue({ ...says("No."), stopReason: "refusal" }, says("Hello again."));
    await rig.turn(id, "hi");
    const refusal = { type: "refusal", category: null, explanation: null };
    expect((await rig.events(id)).at(-1)).toMatchObject({ stop_reason: { type: "refusal" }, stop_details: refusal });
    await rig.turn(id, "hello");
    expect((await rig.events(id)).at(-1)).toMatchObject({ stop_reason: { type: "end_turn" }, stop_details: null });
  });

  it("delivers the files of a turn that it gives up", async () => {
    const id = await rig.newSession();
    rig.sandboxes.outputs.set("half.txt", "half of it");
    rig.api.queue(bash("make it"), refuses(400));
    await rig.turn(id, "go");
    expect((await rig.events(id)).at(-1)).toMatchObject({ stop_reason: { type: "retries_exhausted" } });
    expect(rig.saved.get("half.txt")).toBe("half of it");
    rig.sandboxes.outputs.clear();
  });

  it("waits as long as the API says", async () => {
    const id = await rig.newSession();
    const before = Date.now();
    rig.api.queue(refuses(429, { headers: { "retry-after": "60" } }));
    await rig.turn(id, "hi");
    expect((await rig.row(id)).wakeAt?.getTime()).toBeGreaterThanOrEqual(before + 60_000);
    const asked = rig.api.requests.length;
    await rig.runSession(id);
    expect(rig.api.requests.length).toBe(asked);
    expect(await rig.leases.abandoned(1_000)).not.toContain(id);
  });

  it("gives up after the allowed number of tries, goes idle, and answers the next message", async () => {
    const id = await rig.newSession();
    rig.api.queue(refuses(529), refuses(529), refuses(529), says("Back again."));
    await rig.turn(id, "hi");
    await runUntilIdle(id);
    expect((await errors(id)).map(({ error }) => error.retry_status.type)).toEqual([
      "retrying",
      "retrying",
      "exhausted",
    ]);
    expect((await rig.events(id)).at(-1)).toMatchObject({ stop_reason: { type: "retries_exhausted" } });
    await rig.turn(id, "and now?");
    expect(spoken(await rig.events(id))).toEqual(["Back again."]);
  });

  it.each([
    ["400", refuses(400), "model_request_failed_error"],
    ["401", refuses(401), "model_request_failed_error"],
    ["402", refuses(402), "billing_error"],
  ])("%s: ends the turn at once", async (_name, failure, type) => {
    const id = await rig.newSession();
    rig.api.queue(failure);
    await rig.turn(id, "hi");
    expect(await errors(id)).toMatchObject([{ error: { type, retry_status: { type: "exhausted" } } }]);
    expect((await rig.types(id)).slice(-4)).toEqual(["session.error", ...IDLE]);
  });

  it("ends the turn when nobody serves the model", async () => {
    const id = await rig.newSession({ agent: { model: { id: "gone", effort: { type: "low" }, speed: "standard" } } });
    await rig.turn(id, "hi");
    expect((await errors(id))[0]?.error.message).toContain("`gone`");
    expect((await rig.row(id)).status).toBe("idle");
  });

  it("takes what waits in the inbox into the log when it gives up", async () => {
    const id = await rig.newSession();
    const before = gate();
    rig.api.queue({ ...refuses(401), before });
    const running = rig.turn(id, "one");
    await before.reached;
    await rig.send(id, "two");
    before.open();
    await running;
    expect(await rig.row(id)).toMatchObject({ status: "idle", queuedCount: 0 });
    expect((await rig.types(id)).filter((type) => type === "user.message")).toHaveLength(2);
  });

  it("tries again after an error that nobody expected, and ends the turn when it does not pass", async () => {
    const id = await rig.newSession();
    let failures = 0;
    const findModel = () => {
      failures += 1;
      throw new TypeError("a bug");
    };
    await rig.send(id, "hi");
    for (let looks = 0; looks < 5; looks++) {
      await rig.prisma.session.update({ where: { id }, data: { wakeAt: null } });
      await rig.runSession(id, { findModel });
    }
    expect(failures).toBe(3);
    expect((await errors(id)).map(({ error }) => [error.type, error.retry_status.type])).toEqual([
      ["unknown_error", "retrying"],
      ["unknown_error", "retrying"],
      ["unknown_error", "exhausted"],
    ]);
    expect(await rig.row(id)).toMatchObject({ status: "idle", queuedCount: 0 });
  });

  it("leaves every call with a result when it gives up in the middle of them", async () => {
    const id = await rig.newSession();
    rig.run = async () => textResult("ran");
    rig.api.queue(bash("ls"), says("fine"));
    await rig.send(id, "hi");
    const breaksAtTools = {
      ...rig.log,
      append: (request: Parameters<typeof rig.log.append>[0]) => {
        if (request.events.length > 0 && request.events.every(({ event }) => event.type !== "session.error")) {
          if (request.events.some(({ event }) => event.type === "agent.tool_result")) throw new TypeError("a bug");
        }
        return rig.log.append(request);
      },
    };
    for (let looks = 0; looks < 5; looks++) {
      await rig.prisma.session.update({ where: { id }, data: { wakeAt: null } });
      await rig.runSession(id, { log: breaksAtTools });
    }
    expect(resultsByCall(await rig.events(id)).map((results) => results.length)).toEqual([1]);
    expect((await rig.row(id)).status).toBe("idle");
  });
});

describe("when the context fills", () => {
  let rig: HarnessRig;
  beforeAll(async () => {
    rig = await startHarnessRig();
  });
  afterAll(() => rig.close());
  const FULL = { input_tokens: 190_000 };

  it("compacts before the next request, and goes on from the summary", async () => {
    const id = await rig.newSession();
    rig.api.queue({ ...bash("ls"), usage: FULL }, says("The summary."), says("Done."));
    rig.run = async () => textResult("files");
    await rig.turn(id, "a long task");
    const types = await rig.types(id);
    expect(types).toContain("agent.thread_context_compacted");
    expect(spoken(await rig.events(id))).toEqual(["Done."]);
    const [only] = rig.api.requests.at(-1)?.messages ?? [];
    expect(rig.api.requests.at(-1)?.messages).toHaveLength(1);
    expect(JSON.stringify(only)).toContain("The summary.");
    expect(JSON.stringify(only)).toContain("a long task");
  });

  it("is seen to be running while it compacts at the start of a turn", async () => {
    const id = await rig.newSession();
    rig.api.queue({ ...says("Long."), usage: FULL });
    await rig.turn(id, "fill it");
    const before = gate();
    rig.api.queue({ ...says("The summary."), before }, says("Done."));
    const running = rig.turn(id, "go on");
    await before.reached;
    await expect.poll(async () => (await rig.row(id)).status).toBe("running");
    before.open();
    await running;
    expect(spoken(await rig.events(id)).at(-1)).toBe("Done.");
  });

  it("pauses and tries again when the model fails to summarise, and keeps the conversation", async () => {
    const id = await rig.newSession();
    rig.api.queue({ ...says("Long."), usage: FULL });
    await rig.turn(id, "remember: 42");
    rig.api.queue(refuses(529), { content: [] }, says("The summary: 42."), says("Done."));
    await rig.turn(id, "go on");
    for (let looks = 0; looks < 3; looks++) {
      await rig.prisma.session.update({ where: { id }, data: { wakeAt: null } });
      await rig.runSession(id);
    }
    const types = await rig.types(id);
    expect(types.filter((type) => type === "agent.thread_context_compacted")).toHaveLength(1);
    expect(types.filter((type) => type === "session.status_rescheduled")).toHaveLength(2);
    expect(JSON.stringify(rig.api.requests.at(-1)?.messages)).toContain("The summary: 42.");
  });
});
