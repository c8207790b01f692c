import { describe, expect, it } from "vitest";
import { against, atLeast, atMost, isMet } from "../../bench/figure.ts";

const figure = against("swap", "ms", 7, 3, "");

describe("isMet", () => {
  it.each([
    ["the value", "value", 7],
    ["the ratio to the floor", "ratio", 7 / 3],
    ["the difference from the floor", "difference", 4],
  ] as const)("holds %s against its limit", (_, of, measured) => {
    expect(isMet({ ...figure, target: atMost(measured, of) })).toBe(true);
    expect(isMet({ ...figure, target: atMost(measured - 0.01, of) })).toBe(false);
    expect(isMet({ ...figure, target: atLeast(measured, of) })).toBe(true);
    expect(isMet({ ...figure, target: atLeast(measured + 0.01, of) })).toBe(false);
  });

  it("meets no target for want of a floor", () => {
    const target = atMost(1_000, "difference");
    expect(isMet({ ...figure, floor: null, ratio: null, target })).toBe(false);
    expect(isMet({ ...figure, floor: null, ratio: null, target: atMost(1_000, "ratio") })).toBe(false);
  });

  it("says nothing of a figure for which nothing is promised", () => {
    expect(isMet(figure)).toBeNull();
  });
});
