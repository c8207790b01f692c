import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { listCost, nanocentsOf } from "../../src/sessions/list-cost.ts";

const CENT = 1e9;
const cents = (tokenNanocents: number, activeMs = 0, runtimeNanocentsPerHour = nanocentsOf(0.08)) =>
  listCost({ tokenNanocents, activeMs, runtimeNanocentsPerHour }).amount;

describe("a list cost", () => {
  it("is shown in whole cents, half a cent as one", () => {
    expect([0, CENT / 2 - 1, CENT / 2, CENT, 1234.4 * CENT].map((amount) => cents(amount))).toEqual([
      "0",
      "0",
      "1",
      "1",
      "1234",
    ]);
  });

  it("counts the runtime to the millisecond, together with what is left of the tokens' cents", () => {
    expect(cents(0, 3_600_000)).toBe("8");
    expect(cents(0, 224_999)).toBe("0");
    expect(cents(0, 225_000)).toBe("1");
    expect(cents(CENT / 4, 112_500)).toBe("1");
  });

  it("never goes down while a session goes on, and is never a number that JSON would write with an exponent", () => {
    const amount = fc.nat({ max: Number.MAX_SAFE_INTEGER });
    fc.assert(
      fc.property(amount, fc.nat(), fc.nat(), (tokens, ms, more) => {
        const before = cents(tokens, ms);
        expect(before).toMatch(/^(0|[1-9]\d*)$/);
        expect(BigInt(cents(tokens, ms + more))).toBeGreaterThanOrEqual(BigInt(before));
      }),
    );
  });
});
