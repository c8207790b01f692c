import { describe, expect, it } from "vitest";
import { outcomeOf } from "../../bench/burst-outcome.ts";

const mentions = [{ ts: "1.1" }, { ts: "1.2" }];
const each = ["1.1", "1.2"];

describe("outcomeOf", () => {
  it("finds nothing lost or doubled where each mention has one session and one answer", () => {
    expect(outcomeOf(mentions, { sessions: each, answers: each })).toEqual({ lost: 0, doubled: 0 });
  });

  it.each([
    ["a session", { sessions: ["1.1"], answers: each }],
    ["an answer", { sessions: each, answers: ["1.2"] }],
  ])("calls a mention without %s lost", (_, found) => {
    expect(outcomeOf(mentions, found)).toEqual({ lost: 1, doubled: 0 });
  });

  it.each([
    ["session", { sessions: [...each, "1.1"], answers: each }],
    ["answer", { sessions: each, answers: [...each, "1.2"] }],
  ])("calls a mention with a second %s doubled", (_, found) => {
    expect(outcomeOf(mentions, found)).toEqual({ lost: 0, doubled: 1 });
  });
});
