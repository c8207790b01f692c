import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { encodeRating, encodeStop, parseRating, parseStop, parseToolUseId } from "../../../bots/slack/action-ids.ts";

describe("values of buttons", () => {
  it("a rating comes back as it was written, whatever its answer's id", () => {
    const ids = fc.string({ minLength: 1, maxLength: 200 });
    fc.assert(
      fc.property(ids, fc.constantFrom("up" as const, "down" as const), (answerId, value) => {
        expect(parseRating(encodeRating({ answerId, value }))).toEqual({ answerId, value });
      }),
    );
  });

  it.each([undefined, null, "", "up", ":up", "sevt_1:sideways", 7])("%j is no rating", (value) => {
    expect(() => parseRating(value)).toThrow();
  });

  it("stop names its thread", () => {
    expect(parseStop(encodeStop("slack:T1:C1:1.5"))).toBe("slack:T1:C1:1.5");
    expect(() => parseStop("slack:T1")).toThrow("not a chat thread key");
    expect(() => parseStop(undefined)).toThrow();
  });

  it("a press on Approve or Deny names a tool use", () => {
    expect(parseToolUseId("sevt_9")).toBe("sevt_9");
    expect(() => parseToolUseId("")).toThrow();
  });
});
