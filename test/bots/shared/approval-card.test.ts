import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { approvalMessage, approvalState, callDetail } from "../../../bots/shared/approval-card.ts";
import type { Approval } from "../../../bots/shared/chat-records.ts";

describe("what an approval shows", () => {
  it.each([
    ["bash", { command: "rm -r old\necho done" }, "rm -r old\necho done"],
    ["write", { file_path: "/a.txt", content: "one\ntwo" }, "/a.txt\n\none\ntwo"],
    ["edit", { file_path: "/a", old_string: "x\ny", new_string: "z" }, "/a\n\n- x\n- y\n+ z"],
    ["edit", { file_path: "/a", old_string: "x", new_string: "z", replace_all: true }, "/a, everywhere\n\n- x\n+ z"],
    ["glob", { pattern: "*" }, '{\n  "pattern": "*"\n}'],
  ])("of %s is the call, word for word", (name, input, detail) => {
    expect(callDetail(name, input)).toBe(detail);
  });

  it("leaves nothing out, however long it is or oddly it was made", () => {
    const odd = fc.dictionary(fc.constantFrom("command", "file_path", "content", "timeout", "x"), fc.string());
    fc.assert(
      fc.property(fc.constantFrom("bash", "write", "edit", "mail"), odd, (name, input) => {
        const detail = callDetail(name, input);
        for (const value of Object.values(input)) {
          expect(detail.includes(value) || detail.includes(JSON.stringify(value))).toBe(true);
        }
      }),
    );
    expect(callDetail("bash", { command: "x".repeat(100_000) })).toHaveLength(100_000);
  });

  it("has a line that says what it is about", () => {
    const ask = { toolUseId: "sevt_1", toolName: "bash", input: { command: "set -e\nrm -r old" } };
    const who = { requester: "U1", approvers: [] };
    expect(approvalMessage(ask, who, { type: "moot" })).toMatchObject({
      card: { summary: "bash: rm -r old", detail: "set -e\nrm -r old", requester: "U1" },
    });
  });
});

describe("how an approval stands", () => {
  const open: Approval = {
    toolUseId: "sevt_1",
    thread: "slack:T1:C1:1.0",
    sessionId: "sesn_1",
    requester: "U1",
    toolName: "bash",
    expiresAt: new Date(9_000),
    decision: null,
    decidedBy: null,
    decidedAt: null,
    reason: null,
    sent: false,
  };
  const at = { decidedAt: new Date(5_000) };
  it.each([
    [open, { type: "open", expiresAt: 9_000 }],
    [
      { ...open, ...at, decision: "deny" as const, decidedBy: { id: "U2", name: "Ada" }, reason: "no" },
      { type: "decided", decision: "deny", by: "Ada", at: 5_000, reason: "no" },
    ],
    [
      { ...open, ...at, decision: "expired" as const },
      { type: "expired", at: 5_000 },
    ],
    [{ ...open, ...at, decision: "deny" as const }, { type: "moot" }],
  ])("%#", (approval, state) => expect(approvalState(approval)).toEqual(state));
});
