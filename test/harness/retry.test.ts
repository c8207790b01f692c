import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { DEFAULT_RETRY, retryDelayMs } from "../../src/harness/retry.ts";

describe("the pause before another try", () => {
  it("doubles, is never longer than the most, and ends after the last attempt", () => {
    const delays = [1, 2, 3, 4, 5, 6, 7].map((attempt) => retryDelayMs(DEFAULT_RETRY, attempt, null, 0));
    expect(delays).toEqual([500, 1_000, 2_000, 4_000, 8_000, null, null]);
    expect(retryDelayMs({ ...DEFAULT_RETRY, attemptsMax: 50 }, 40, null, 0)).toBe(DEFAULT_RETRY.delayMaxMs);
  });

  it("is at least what the provider asks for, and at most a quarter shorter than the backoff", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 5 }),
        fc.option(fc.integer({ min: 0, max: 100_000 })),
        fc.double({ min: 0, max: 0.999, noNaN: true }),
        (attempt, retryAfterMs, random) => {
          const delay = retryDelayMs(DEFAULT_RETRY, attempt, retryAfterMs, random) ?? 0;
          const full = retryDelayMs(DEFAULT_RETRY, attempt, null, 0) ?? 0;
          expect(delay).toBeGreaterThanOrEqual(Math.max(retryAfterMs ?? 0, Math.floor(full * 0.75)));
          expect(delay).toBeLessThanOrEqual(Math.max(retryAfterMs ?? 0, full));
        },
      ),
    );
  });
});
