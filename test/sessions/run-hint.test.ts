import { pino } from "pino";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { createRunHint } from "../../src/sessions/run-hint.ts";

const lines: string[] = [];
const log = pino({}, { write: (line: string) => lines.push(line) });

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
  lines.length = 0;
});

describe("a hint to run a session", () => {
  it("goes to the queue", async () => {
    const enqueue = vi.fn<() => Promise<void>>(async () => undefined);
    await createRunHint({ enqueue }, log)("sesn_1");
    expect(enqueue).toHaveBeenCalledWith("run-session", { session_id: "sesn_1" }, { delayMs: 0 });
    expect(lines).toEqual([]);
  });

  it("that is lost fails nothing, and is logged", async () => {
    const enqueue = async () => Promise.reject(new Error("queue is down"));
    await createRunHint({ enqueue }, log)("sesn_1");
    expect(lines.join()).toContain("queue is down");
    expect(lines.join()).toContain("sesn_1");
  });

  it("does not wait for a queue that never answers", async () => {
    const hinting = createRunHint({ enqueue: () => new Promise(() => undefined) }, log)("sesn_1");
    await vi.advanceTimersByTimeAsync(2_000);
    await hinting;
    expect(lines.join()).toContain("no answer");
  });
});
