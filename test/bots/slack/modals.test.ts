import { describe, expect, it } from "vitest";
import { denyModal, parseDenial } from "../../../bots/slack/deny-modal.ts";
import { handOverModal, parseHandOver } from "../../../bots/slack/hand-over-modal.ts";

/** A view as Slack submits it, filled in by a person. */
function submitted(view: { private_metadata?: string }, values: Record<string, unknown>) {
  return { id: "V01", type: "modal", private_metadata: view.private_metadata, state: { values } };
}

describe("the modal of a denial", () => {
  const carried = { toolUseId: "sevt_1", thread: "slack:T01:C01:1763600000.000001" };

  it("brings back what was to be denied, and why", () => {
    const view = submitted(denyModal(carried), {
      reason: { text: { type: "plain_text_input", value: " too risky " } },
    });
    expect(parseDenial(view)).toEqual({ ...carried, viewId: "V01", reason: "too risky" });
  });

  it.each([[null], [""], ["  "]])("takes %j as no reason", (value) => {
    expect(parseDenial(submitted(denyModal(carried), { reason: { text: { value } } }))).toMatchObject({ reason: null });
  });
});

describe("the modal of a handed over message", () => {
  const carried = { team: "T01", channel: "C01", threadTs: "1763600000.000001" };
  const agents = Array.from({ length: 120 }, (_, index) => ({ id: `agent_${index}`, name: "A".repeat(90) }));
  const instruction = (value: string | null) => ({ instruction: { input: { type: "plain_text_input", value } } });

  it("brings back the thread, the agent and the instruction", () => {
    const values = { ...instruction("chart it"), agent: { input: { selected_option: { value: "agent_1" } } } };
    expect(parseHandOver(submitted(handOverModal(carried, agents), values))).toEqual({
      ...carried,
      viewId: "V01",
      agentId: "agent_1",
      instruction: "chart it",
    });
  });

  it("leaves the agent to the channel unless one is chosen", () => {
    const usual = { ...instruction("x"), agent: { input: { selected_option: { value: "default" } } } };
    expect(parseHandOver(submitted(handOverModal(carried, agents), usual))).toMatchObject({ agentId: null });
    const none = submitted(handOverModal(carried, []), instruction(null));
    expect(parseHandOver(none)).toMatchObject({ agentId: null, instruction: expect.stringContaining("message above") });
  });

  it("stays within what Slack takes, however many agents there are", () => {
    const select = handOverModal(carried, agents).blocks.find((block) => block.block_id === "agent");
    expect(select).toHaveProperty("element.options.length", 100);
    expect(JSON.stringify(select)).not.toContain("A".repeat(75));
    expect(handOverModal(carried, []).blocks).toHaveLength(1);
  });
});
