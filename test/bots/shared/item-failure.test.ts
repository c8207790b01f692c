import { APIConnectionError, APIError } from "@anthropic-ai/sdk";
import { describe, expect, it } from "vitest";
import { planAfterFailure } from "../../../bots/shared/item-failure.ts";
import { RetryableError, TerminalError } from "../../../src/errors.ts";

const fresh = { attempts: 0, waitedMs: 0 };
const status = (code: number, message = "Bad `agent`.") =>
  APIError.generate(code, { type: "error", error: { type: "x", message } }, undefined, new Headers());
const DAY_MS = 86_400_000;

describe("after a failure", () => {
  it.each<[string, unknown, boolean]>([
    ["no connection", new APIConnectionError({ message: "refused" }), true],
    ["a server that is overloaded", status(529), true],
    ["a server behind a proxy that is down", status(502), true],
    ["a server that does not take our key, which its operator will mend", status(401), true],
    ["a surface that is busy", new RetryableError("Busy."), false],
    ["a fault of ours", new Error("x"), false],
  ])("an item is tried again: %s", (_, error, platformDown) => {
    expect(planAfterFailure(error, fresh)).toEqual({ type: "again", delayMs: 250, platformDown });
  });

  it("the pauses grow to a limit, and are never shorter than the surface asks for", () => {
    const delays = [0, 1, 2, 20].map((attempts) => planAfterFailure(status(503), { attempts, waitedMs: 0 }));
    expect(delays).toMatchObject([{ delayMs: 250 }, { delayMs: 500 }, { delayMs: 1_000 }, { delayMs: 8_000 }]);
    const asked = new RetryableError("Busy.", { retryAfterMs: 30_000 });
    expect(planAfterFailure(asked, fresh)).toMatchObject({ delayMs: 30_000 });
  });

  it.each<[string, unknown]>([
    ["a request that the platform refuses", status(400)],
    ["what the surface can never do", new TerminalError("The channel is archived.")],
  ])("an item is given up at once: %s", (_, error) => {
    expect(planAfterFailure(error, fresh).type).toBe("give_up");
  });

  it.each([
    ["a fault of ours", new Error("boom at line 7")],
    ["a failure inside the platform", status(500)],
    ["a conflict that does not end", status(409)],
  ])("an item is given up after some attempts, without the raw words: %s", (_, error) => {
    const plan = planAfterFailure(error, { attempts: 7, waitedMs: 0 });
    expect(plan).toMatchObject({ type: "give_up" });
    expect(JSON.stringify(plan)).not.toContain("line 7");
  });

  it("an item outlasts a night without the platform, and not a day", () => {
    expect(planAfterFailure(status(503), { attempts: 5_000, waitedMs: DAY_MS / 2 }).type).toBe("again");
    expect(planAfterFailure(status(503), { attempts: 9_000, waitedMs: DAY_MS + 1 }).type).toBe("give_up");
  });

  it("people are told what the platform found wrong", () => {
    expect(planAfterFailure(status(400), fresh)).toMatchObject({ words: expect.stringContaining("Bad `agent`.") });
  });
});
