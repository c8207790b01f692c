import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { bash, calls, gate, says } from "../fakes/messages-answer.ts";
import { textResult } from "../fakes/sandbox.ts";
import { type HarnessRig, IDLE, resultsByCall, spoken, startHarnessRig } from "../support/harness-rig.ts";

const RUNNING = ["session.status_running", "session.thread_status_running"];
const INTERRUPTED = "Tool execution was interrupted before completion. Please retry.";

describe("an interrupt", () => {
  let rig: HarnessRig;
  beforeAll(async () => {
    rig = await startHarnessRig();
  });
  afterAll(() => rig.close());

  it("stops the model's stream, leaves no message, closes the request, and ends the turn", async () => {
    const id = await rig.newSession();
    const middle = gate();
    rig.api.queue({ ...says("half ", "of it"), middle });
    const running = rig.turn(id, "talk");
    await middle.reached;
    await rig.send(id, null);
    await running;
    middle.open();
    expect(await rig.types(id)).toEqual([
      "user.message",
      ...RUNNING,
      "span.model_request_start",
      "span.model_request_end",
      "user.interrupt",
      ...IDLE,
    ]);
    const end = (await rig.events(id)).find((event) => event.type === "span.model_request_end");
    expect(end).toMatchObject({ is_error: false });
    expect((await rig.events(id)).at(-1)).toMatchObject({ stop_reason: { type: "end_turn" } });
  });

  it("stops a tool at once and gives it and the calls after it a result that says so", async () => {
    const id = await rig.newSession();
    const begun = gate();
    let stopped = false;
    rig.run = (_op, signal) => {
      begun.reach();
      return new Promise((_resolve, reject) => {
        signal.addEventListener("abort", () => {
          stopped = true;
          reject(signal.reason);
        });
      });
    };
    rig.api.queue(calls({ name: "bash", input: { command: "sleep" } }, { name: "bash", input: { command: "next" } }));
    const asked = rig.sandboxes.begun.length;
    const running = rig.turn(id, "work");
    await begun.reached;
    await rig.send(id, null);
    await running;
    expect(stopped).toBe(true);
    expect(rig.sandboxes.begun.length).toBe(asked + 1);
    expect(resultsByCall(await rig.events(id))).toEqual([
      [{ isError: true, text: INTERRUPTED }],
      [{ isError: true, text: INTERRUPTED }],
    ]);
    expect((await rig.types(id)).slice(-4)).toEqual(["user.interrupt", ...IDLE]);
  });

  it("of an idle session is logged and does nothing else", async () => {
    const id = await rig.newSession();
    await rig.turn(id, null);
    expect(await rig.types(id)).toEqual(["user.interrupt"]);
    expect(await rig.row(id)).toMatchObject({ status: "idle", queuedCount: 0, leaseOwner: null });
  });

  it("takes what was sent before it, ends that turn, and leaves what was sent after it to the next one", async () => {
    const id = await rig.newSession();
    const middle = gate();
    rig.api.queue({ ...says("never ", "heard"), middle }, says("answer to the third"));
    const running = rig.turn(id, "first");
    await middle.reached;
    await rig.send(id, "second", null, "third");
    await running;
    middle.open();
    expect(await rig.types(id)).toEqual([
      "user.message",
      ...RUNNING,
      "span.model_request_start",
      "span.model_request_end",
      "user.message",
      "user.interrupt",
      ...IDLE,
      "user.message",
      ...RUNNING,
      "span.model_request_start",
      "agent.message",
      "span.model_request_end",
      ...IDLE,
    ]);
    expect(rig.api.requests.at(-1)?.messages).toMatchObject([
      {
        content: [
          { text: "first" },
          { text: "second" },
          { text: "[The user stopped the work here.]" },
          { text: "third" },
        ],
      },
    ]);
  });

  it("together with a message to an idle session never runs what came before it", async () => {
    const id = await rig.newSession();
    const asked = rig.api.requests.length;
    await rig.turn(id, "do not do this", null);
    expect(await rig.types(id)).toEqual(["user.message", ...RUNNING, "user.interrupt", ...IDLE]);
    expect(rig.api.requests.length).toBe(asked);
  });

  it("followed by a message while idle starts a turn for the message", async () => {
    const id = await rig.newSession();
    rig.api.queue(says("yes"));
    await rig.turn(id, null, "are you there?");
    expect(spoken(await rig.events(id))).toEqual(["yes"]);
    expect((await rig.row(id)).status).toBe("idle");
  });

  it("while the next try at the model is waited for ends the turn without waiting", async () => {
    const id = await rig.newSession();
    rig.api.queue({ status: 529, headers: { "retry-after": "3600" } });
    await rig.turn(id, "hello");
    expect((await rig.row(id)).status).toBe("rescheduling");
    await rig.turn(id, null);
    expect((await rig.types(id)).slice(-4)).toEqual(["user.interrupt", ...IDLE]);
  });

  it("that comes while the turn is already ending is logged before the idle", async () => {
    const id = await rig.newSession();
    rig.api.queue(bash("ls"), says("done"));
    rig.run = async () => textResult("file");
    await rig.send(id, "list");
    let sent = false;
    await rig.runSession(id, {
      crashPoint: async (name) => {
        if (name !== "before_idle" || sent) return;
        sent = true;
        await rig.send(id, null);
      },
    });
    expect((await rig.types(id)).slice(-4)).toEqual(["user.interrupt", ...IDLE]);
    expect((await rig.types(id)).filter((type) => type === "session.status_idle")).toHaveLength(1);
  });
});
