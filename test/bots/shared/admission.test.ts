import { describe, expect, it } from "vitest";
import { denialText, judge } from "../../../bots/shared/admission.ts";
import { mergePolicy, type PolicySettings } from "../../../bots/shared/channel-policy.ts";

describe("who may give work", () => {
  it.each<[PolicySettings, "member" | "guest" | "outsider", ReturnType<typeof judge>]>([
    [{}, "member", null],
    [{}, "guest", "guest"],
    [{}, "outsider", "outsider"],
    [{ allowGuests: true }, "guest", null],
    [{ allowGuests: true }, "outsider", "outsider"],
    [{ allowOutsiders: true }, "outsider", null],
    [{ allowUsers: ["U1"] }, "outsider", null],
    [{ allowUsers: ["U2"] }, "member", "not_listed"],
    [{ allowUsers: ["U2"], allowGuests: true }, "guest", "not_listed"],
    [{ allowGroups: ["S1"] }, "member", "ask_groups"],
    [{ allowGroups: ["S1"] }, "guest", "guest"],
    [{ allowGroups: ["S1"], allowGuests: true }, "guest", "ask_groups"],
  ])("under %j a %s gets %j", (settings, kind, verdict) => {
    expect(judge(mergePolicy(settings), { id: "U1", kind })).toBe(verdict);
  });
});

it("tells whoever may not, in words of no platform's own, and lets nothing in their name be more than a name", () => {
  expect(denialText("guest", { name: "Ana *Banana*" })).toMatch(/^Sorry Ana Banana, guests/);
  for (const each of ["guest", "outsider", "not_listed"] as const) {
    expect(denialText(each, { name: "Ana" })).not.toMatch(/workspace|tenant/);
  }
  expect(denialText("outsider", { name: "[Prize](https://x.test) <!channel>" })).not.toMatch(/[[\]<>]/);
});
