import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { bash, calls, gate, says } from "../fakes/messages-answer.ts";
import { textResult } from "../fakes/sandbox.ts";
import { type HarnessRig, IDLE, resultsByCall, spoken, startHarnessRig } from "../support/harness-rig.ts";

const RUNNING = ["user.message", "session.status_running", "session.thread_status_running"];
const START = "span.model_request_start";
const END = "span.model_request_end";

describe("a turn", () => {
  let rig: HarnessRig;
  beforeAll(async () => {
    rig = await startHarnessRig();
  });
  afterAll(() => rig.close());

  it("without tools goes from the message to idle, and never provisions a sandbox", async () => {
    const id = await rig.newSession();
    rig.api.queue(says("Hello", " there"));
    await rig.turn(id, "hi");
    expect(await rig.types(id)).toEqual([...RUNNING, START, "agent.message", END, ...IDLE]);
    expect(spoken(await rig.events(id))).toEqual(["Hello there"]);
    expect(rig.sandboxes.provisioned).toBe(0);
    expect(await rig.row(id)).toMatchObject({ status: "idle", queuedCount: 0, leaseOwner: null, leaseExpiresAt: null });
  });

  it("with a tool commits the call before it runs, and its result before the next request", async () => {
    const id = await rig.newSession();
    let seenByTool: string[] = [];
    rig.run = async () => {
      seenByTool = await rig.types(id);
      return textResult("42");
    };
    rig.api.queue(bash("echo 42"), says("It is 42."));
    await rig.turn(id, "compute");
    expect(seenByTool.at(-1)).toBe("agent.tool_use");
    expect(await rig.types(id)).toEqual([
      ...RUNNING,
      START,
      END,
      "agent.tool_use",
      "agent.tool_result",
      START,
      "agent.message",
      END,
      ...IDLE,
    ]);
    expect(resultsByCall(await rig.events(id))).toEqual([[{ isError: false, text: "42" }]]);
    const sent = rig.api.requests.at(-1)?.messages.at(-1)?.content[0];
    expect(sent).toMatchObject({ type: "tool_result", content: [{ type: "text", text: "42" }], is_error: false });
  });

  it("with several calls in one answer gives each exactly one result, in order", async () => {
    const id = await rig.newSession();
    rig.run = async (op) => textResult(`result of ${op.op === "bash" ? op.command : op.op}`);
    rig.api.queue(
      calls(...["a", "b", "c"].map((command) => ({ name: "bash", input: { command } }))),
      says("All three."),
    );
    await rig.turn(id, "three things");
    expect(resultsByCall(await rig.events(id))).toEqual([
      [{ isError: false, text: "result of a" }],
      [{ isError: false, text: "result of b" }],
      [{ isError: false, text: "result of c" }],
    ]);
  });

  it("sends thinking back unchanged, signature and all", async () => {
    const id = await rig.newSession();
    const thinking = { type: "thinking" as const, thinking: "Let me see…", signature: "c2lnbmF0dXJl" };
    rig.api.queue({ ...bash("ls"), content: [thinking, ...bash("ls").content] }, says("ok"));
    await rig.turn(id, "think");
    expect(rig.api.requests.at(-1)?.messages[1]?.content[0]).toEqual({
      type: "thinking",
      thinking: thinking.thinking,
      signature: thinking.signature,
    });
    expect(await rig.types(id)).toContain("agent.thinking");
  });

  it("tells the model of an unknown tool, of invalid arguments and of JSON that does not parse", async () => {
    const id = await rig.newSession();
    const begun = rig.sandboxes.begun.length;
    rig.api.queue(
      calls(
        { name: "teleport", input: {} },
        { name: "bash", input: { cmd: "ls" } },
        { name: "write", input: ["not", "an", "object"] },
      ),
      { content: [{ type: "tool_use", name: "bash", input: {}, json: '{"command": "ls' }], stopReason: "tool_use" },
      says("I see."),
    );
    await rig.turn(id, "go wrong");
    const results = resultsByCall(await rig.events(id)).flat();
    expect(results.map(({ isError }) => isError)).toEqual([true, true, true, true]);
    expect(results[0]?.text).toContain("There is no tool `teleport`");
    expect(results[1]?.text).toContain("cmd");
    expect(results[3]?.text).toContain("invalid_json");
    expect(rig.sandboxes.begun.length).toBe(begun);
    expect(spoken(await rig.events(id))).toEqual(["I see."]);
  });

  it("never runs a call that was cut off by the output limit, and tells the model", async () => {
    const id = await rig.newSession();
    const begun = rig.sandboxes.begun.length;
    rig.api.queue({ ...bash("rm -rf /tmp/x"), stopReason: "max_tokens" }, says("Shorter then."));
    await rig.turn(id, "write a book");
    expect(rig.sandboxes.begun.length).toBe(begun);
    expect(resultsByCall(await rig.events(id))[0]?.[0]?.text).toContain("cut_off_at_output_limit");
    expect(spoken(await rig.events(id))).toEqual(["Shorter then."]);
  });

  it("keeps a result of more than 100,000 characters in a file and shows its beginning and end", async () => {
    const id = await rig.newSession();
    const text = `BEGIN${"x".repeat(200_000)}END`;
    rig.run = async () => textResult(text);
    rig.api.queue(bash("yes"), says("long"));
    await rig.turn(id, "much");
    const [result] = resultsByCall(await rig.events(id)).flat();
    expect(result?.text.length).toBeLessThan(20_000);
    expect(result?.text).toMatch(/BEGIN[\s\S]*END$/);
    const [path] = /\/workspace\/\.tool-results\/\S+\.txt/.exec(result?.text ?? "") ?? [""];
    expect(rig.sandboxes.files.get(path)).toBe(text);
  });

  it("writes output with NUL and half characters, which the database would refuse", async () => {
    const id = await rig.newSession();
    rig.run = async () => textResult("a\u0000b\ud83dc");
    rig.api.queue({ ...bash("printf"), content: [{ type: "text", chunks: ["\u0000 look"] }, ...bash("x").content] });
    rig.api.queue(says("done"));
    await rig.turn(id, "binary \u0000");
    expect(resultsByCall(await rig.events(id))).toEqual([[{ isError: false, text: "a\ufffdb\ufffdc" }]]);
    expect((await rig.row(id)).status).toBe("idle");
  });

  it("survives an answer of nothing, of blanks, and of thinking alone, and takes the next message", async () => {
    const id = await rig.newSession();
    const thinking = { type: "thinking" as const, thinking: "hm", signature: "c2ln" };
    for (const answer of [{ content: [] }, says(" \n"), { content: [thinking] }]) {
      rig.api.queue(answer);
      await rig.turn(id, "say something");
      expect((await rig.row(id)).status).toBe("idle");
    }
    rig.api.queue(says("Here I am."));
    await rig.turn(id, "hello?");
    expect(spoken(await rig.events(id))).toEqual(["Here I am."]);
  });

  it("collects what is in outputs before it is seen to be idle", async () => {
    const id = await rig.newSession();
    rig.run = async () => {
      rig.sandboxes.outputs.set("report.txt", "figures");
      return textResult("ok");
    };
    rig.api.queue(bash("make report"), says("There."));
    await rig.turn(id, "report");
    expect(rig.saved.get("report.txt")).toBe("figures");
    rig.sandboxes.outputs.clear();
  });

  it("takes up what is sent while a tool runs in the very next model request", async () => {
    const id = await rig.newSession();
    rig.run = async () => {
      await rig.send(id, "in blue, please");
      return textResult("painted");
    };
    rig.api.queue(bash("paint"), says("Blue it is."));
    const asked = rig.api.requests.length;
    await rig.turn(id, "paint it");
    expect(rig.api.requests.length).toBe(asked + 2);
    expect(rig.api.requests.at(-1)?.messages.at(-1)?.content).toMatchObject([
      { type: "tool_result" },
      { type: "text", text: "in blue, please" },
    ]);
    expect((await rig.types(id)).filter((type) => type === "session.status_idle")).toHaveLength(1);
  });

  it("goes on with the same turn when something is sent while the last answer streams", async () => {
    const id = await rig.newSession();
    const middle = gate();
    rig.api.queue({ ...says("first ", "answer"), middle }, says("second answer"));
    const running = rig.turn(id, "one");
    await middle.reached;
    await rig.send(id, "two");
    middle.open();
    await running;
    const types = await rig.types(id);
    expect(types.filter((type) => type === "session.status_running")).toHaveLength(1);
    expect(types.filter((type) => type === "session.status_idle")).toHaveLength(1);
    expect(spoken(await rig.events(id))).toEqual(["first answer", "second answer"]);
  });

  it("starts the next turn with the whole conversation", async () => {
    const id = await rig.newSession();
    rig.api.queue(says("one"), says("two"));
    await rig.turn(id, "first");
    await rig.turn(id, "second");
    expect(rig.api.requests.at(-1)?.messages.map(({ role }) => role)).toEqual(["user", "assistant", "user"]);
  });
});
