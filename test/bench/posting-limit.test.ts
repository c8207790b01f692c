import { describe, expect, it } from "vitest";
import { overLimit } from "../../bench/posting-limit.ts";

const LIMIT = { burst: 3, intervalMs: 1_000 };
const at = (...times: number[]) => times.map((time) => ({ key: "C1", at: time }));

describe("overLimit", () => {
  it("allows a burst, then one an interval, for as long as it lasts", () => {
    expect(overLimit(at(0, 0, 0, 1_000, 2_000, 3_000), LIMIT)).toBe(0);
  });

  it("counts those that came too early, which take nothing from those after them", () => {
    expect(overLimit(at(0, 0, 0, 0, 500, 1_000, 1_999), LIMIT)).toBe(3);
  });

  it("gives no more than the burst after a long rest", () => {
    expect(overLimit(at(0, 60_000, 60_000, 60_000, 60_000), LIMIT)).toBe(1);
  });

  it("counts each key by itself, in whatever order they are given", () => {
    const other = { key: "C2", at: 0 };
    expect(overLimit([...at(1_000, 0, 0, 0), other, other, other], LIMIT)).toBe(0);
  });
});
