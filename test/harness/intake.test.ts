import { describe, expect, it } from "vitest";
import { planIntake } from "../../src/harness/intake.ts";
import type { QueuedEvent } from "../../src/schemas/event.ts";

const message = (id: string): QueuedEvent => ({
  id,
  type: "user.message",
  processed_at: null,
  content: [{ type: "text", text: id }],
});
const decision = (id: string): QueuedEvent => ({
  id,
  type: "user.tool_confirmation",
  processed_at: null,
  tool_use_id: "sevt_call",
  result: "allow",
});
const result = (id: string): QueuedEvent => ({
  id,
  type: "user.custom_tool_result",
  processed_at: new Date().toISOString(),
  custom_tool_use_id: "sevt_call",
});
const stop = (id: string): QueuedEvent => ({ id, type: "user.interrupt", processed_at: null });

describe("what is taken from the inbox", () => {
  it.each([
    ["nothing", [], [], false],
    ["all messages", [message("a"), message("b")], ["a", "b"], false],
    ["an interrupt", [stop("a")], ["a"], true],
    ["an interrupt and what came before it", [message("a"), stop("b"), message("c")], ["a", "b"], true],
    ["everything up to the last interrupt", [stop("a"), message("b"), stop("c"), message("d")], ["a", "b", "c"], true],
  ])("%s", (_name, inbox, taken, interrupted) => {
    for (const callsOpen of interrupted ? [false, true] : [false]) {
      const plan = planIntake(inbox, callsOpen);
      expect([plan.take.map(({ id }) => id), plan.interrupted]).toEqual([taken, interrupted]);
    }
  });

  it("while calls are open: only what answers them", () => {
    const plan = planIntake([message("a"), decision("b"), message("c"), result("d")], true);
    expect([plan.take.map(({ id }) => id), plan.interrupted]).toEqual([["b", "d"], false]);
    expect(planIntake([message("a"), decision("b")], false).take.map(({ id }) => id)).toEqual(["a", "b"]);
  });
});
