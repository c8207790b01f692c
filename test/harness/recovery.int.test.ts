import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { bash, calls, gate, says } from "../fakes/messages-answer.ts";
import { textResult } from "../fakes/sandbox.ts";
import { dieAt, dyingHarness, NEVER } from "../support/dying-harness.ts";
import { type HarnessRig, IDLE, resultsByCall, spoken, startHarnessRig } from "../support/harness-rig.ts";

describe("a harness that dies", () => {
  let rig: HarnessRig;
  beforeAll(async () => {
    rig = await startHarnessRig();
  });
  afterAll(() => rig.close());
  afterEach(() => {
    rig.run = async (op) => textResult(op.op === "bash" ? `ran ${op.command}` : op.op);
  });

  const seqs = async (id: string) => (await rig.log.read(id, 0, 1_000)).map(({ seq }) => seq);

  it.each(["before_model", "after_model", "before_tool", "after_tool", "before_idle"] as const)(
    "at %s is followed by one that finishes the turn, with one result per call and no command run twice",
    async (point) => {
      const id = await rig.newSession();
      const begun = rig.sandboxes.begun.length;
      const two = calls({ name: "bash", input: { command: "a" } }, { name: "bash", input: { command: "b" } });
      // A model that is asked again because its answer was lost says the same again.
      rig.api.queue(two, ...(point === "after_model" ? [two] : []), says("Both ran."));
      if (point === "before_idle") rig.api.queue(says("Both ran."));
      await rig.send(id, "go");
      await dieAt(rig, id, (name) => name === point);
      await rig.runSession(id);
      expect(resultsByCall(await rig.events(id))).toEqual([
        [{ isError: false, text: "ran a" }],
        [{ isError: false, text: "ran b" }],
      ]);
      expect(rig.sandboxes.begun.slice(begun)).toEqual([
        { op: "bash", command: "a" },
        { op: "bash", command: "b" },
      ]);
      expect(spoken(await rig.events(id))).toEqual(["Both ran."]);
      expect((await rig.types(id)).slice(-3)).toEqual(IDLE);
      const all = await seqs(id);
      expect(all).toEqual(all.map((_, index) => index + 1));
      expect(await rig.row(id)).toMatchObject({ status: "idle", lastSeq: all.length, queuedCount: 0 });
    },
  );

  it("while a command runs leaves it running, and the next one takes its result", async () => {
    const id = await rig.newSession();
    const runs = gate();
    const done = gate();
    let count = 0;
    rig.run = async () => {
      count += 1;
      runs.reach();
      await done.opened;
      return textResult("slow result");
    };
    rig.api.queue(bash("sleep 60"), says("Finished."));
    await rig.send(id, "go");
    const { overrides } = dyingHarness(rig, () => false);
    const stopping = new AbortController();
    const first = rig.runSession(id, overrides, stopping.signal);
    await runs.reached;
    stopping.abort();
    await first;
    expect((await rig.row(id)).leaseOwner).toBeNull();
    expect(rig.hinted.at(-1)).toBe(id);
    const second = rig.runSession(id);
    done.open();
    await second;
    expect(count).toBe(1);
    expect(resultsByCall(await rig.events(id))).toEqual([[{ isError: false, text: "slow result" }]]);
    expect(spoken(await rig.events(id))).toEqual(["Finished."]);
  });

  it("between an interrupt and idle is followed by one that ends that turn before it takes up the next message", async () => {
    const id = await rig.newSession();
    const middle = gate();
    rig.api.queue({ ...says("never ", "heard"), middle }, says("Here."));
    await rig.send(id, "first");
    const { overrides, dead } = dyingHarness(rig, (name) => name === "before_idle");
    void rig.runSession(id, overrides); // It never ends.
    await middle.reached;
    await rig.send(id, null, "second");
    await dead;
    middle.open();
    await rig.expireLease(id);
    await rig.runSession(id);
    const types = await rig.types(id);
    const stopped = types.indexOf("user.interrupt");
    expect(types.slice(stopped, stopped + 5)).toEqual(["user.interrupt", ...IDLE, "user.message"]);
    expect(types.filter((type) => type === "user.interrupt")).toHaveLength(1);
    expect(spoken(await rig.events(id))).toEqual(["Here."]);
  });

  it("with its sandbox leaves a call whose outcome is unknown, which is not run again", async () => {
    const id = await rig.newSession();
    const begun = rig.sandboxes.begun.length;
    rig.api.queue(bash("rm important"), says("I will check first."));
    await rig.send(id, "go");
    await dieAt(rig, id, (name) => name === "after_tool");
    rig.sandboxes.loseAll();
    await rig.runSession(id);
    expect(rig.sandboxes.begun.length).toBe(begun + 1);
    const [[result]] = resultsByCall(await rig.events(id)) as [[{ isError: boolean; text: string }]];
    expect(result.isError).toBe(true);
    expect(result.text).toContain("unknown");
    expect(spoken(await rig.events(id))).toEqual(["I will check first."]);
  });

  it("and an engine that can't be asked keep the call open until it can", async () => {
    const id = await rig.newSession();
    const begun = rig.sandboxes.begun.length;
    rig.api.queue(bash("send the invoice"), says("Sent."));
    await rig.send(id, "go");
    await dieAt(rig, id, (name) => name === "after_tool");
    const { sandboxes } = rig.deps();
    const attach = () => Promise.reject(new Error("The engine does not answer."));
    await rig.runSession(id, { sandboxes: { ...sandboxes, provider: { ...sandboxes.provider, attach } } });
    expect((await rig.row(id)).status).toBe("rescheduling");
    expect(resultsByCall(await rig.events(id))).toEqual([[]]);
    await rig.prisma.session.update({ where: { id }, data: { wakeAt: new Date(0) } });
    await rig.runSession(id);
    expect(rig.sandboxes.begun.length).toBe(begun + 1);
    expect(resultsByCall(await rig.events(id))).toEqual([[{ isError: false, text: "ran send the invoice" }]]);
  });

  it("in mid-stream writes nothing more once another one has the session", async () => {
    const id = await rig.newSession();
    const middle = gate();
    rig.api.queue({ ...says("from the ", "zombie"), middle }, says("from the living"));
    await rig.send(id, "hi");
    const leases = { ...rig.leases, renew: () => NEVER };
    const zombie = rig.runSession(id, { leases, owner: "zombie" });
    await middle.reached;
    await rig.expireLease(id);
    await rig.runSession(id, { owner: "living" });
    const after = await rig.types(id);
    middle.open();
    await zombie;
    expect(await rig.types(id)).toEqual(after);
    expect(spoken(await rig.events(id))).toEqual(["from the living"]);
    expect(await rig.row(id)).toMatchObject({ status: "idle", leaseOwner: null });
  });

  it("stops at once in mid-stream when its lease is gone, and abandons the request", async () => {
    const id = await rig.newSession();
    const middle = gate();
    rig.api.queue({ ...says("never ", "done"), middle });
    await rig.send(id, "hi");
    const zombie = rig.runSession(id);
    await middle.reached;
    await rig.prisma.session.update({ where: { id }, data: { leaseEpoch: { increment: 1 } } });
    await zombie;
    expect((await rig.types(id)).at(-1)).toBe("span.model_request_start");
    middle.open();
  });
});

describe("a harness that is stopped", () => {
  let rig: HarnessRig;
  beforeAll(async () => {
    rig = await startHarnessRig();
  });
  afterAll(() => rig.close());

  it("in mid-stream hands the session over at once", async () => {
    const id = await rig.newSession();
    const middle = gate();
    rig.api.queue({ ...says("half ", "said"), middle }, says("said by the next one"));
    await rig.send(id, "hi");
    const stopping = new AbortController();
    const first = rig.runSession(id, {}, stopping.signal);
    await middle.reached;
    stopping.abort();
    await first;
    expect(rig.hinted.at(-1)).toBe(id);
    await rig.runSession(id);
    expect(spoken(await rig.events(id))).toEqual(["said by the next one"]);
    middle.open();
  });

  it("before it began leaves the session to others", async () => {
    const id = await rig.newSession();
    rig.api.queue(says("hello"));
    await rig.send(id, "hi");
    await rig.runSession(id, {}, AbortSignal.abort());
    expect((await rig.row(id)).leaseOwner).toBeNull();
    await rig.runSession(id);
    expect(spoken(await rig.events(id))).toEqual(["hello"]);
  });
});

describe("many harnesses", () => {
  let rig: HarnessRig;
  beforeAll(async () => {
    rig = await startHarnessRig();
  });
  afterAll(() => rig.close());

  it("that are hinted at one session at once make one turn of it", async () => {
    const id = await rig.newSession();
    rig.api.queue(says("once"));
    await rig.send(id, "hi");
    await Promise.all(Array.from({ length: 20 }, (_, index) => rig.runSession(id, { owner: `harness-${index}` })));
    expect(spoken(await rig.events(id))).toEqual(["once"]);
    expect(rig.api.requests).toHaveLength(1);
  });
});
