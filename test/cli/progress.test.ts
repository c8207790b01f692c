import { describe, expect, it, vi, onTestFinished } from "vitest";
import { createProgress } from "../../src/cli/progress.ts";

function capture(isTTY: boolean) {
  vi.useFakeTimers();
  onTestFinished(() => void vi.useRealTimers());
  const written: string[] = [];
  const stream = { isTTY, columns: 60, write: (text: string) => void written.push(text) };
  return { progress: createProgress(stream), written };
}

describe("createProgress", () => {
  it("writes whole lines where nobody watches: the start, one every 15 s, the end", async () => {
    const { progress, written } = capture(false);
    await progress.track("Building", async (report) => {
      report(3, 12);
      await vi.advanceTimersByTimeAsync(31_000);
    });
    expect(written).toEqual([
      "Building ...\n",
      expect.stringMatching(/^Building {2}15 s .* 25 %\n$/),
      expect.stringMatching(/^Building {2}30 s .* 25 %\n$/),
      "✓ Building (31 s)\n",
    ]);
  });

  it("redraws one line on a terminal, never wider than it", async () => {
    const { progress, written } = capture(true);
    await progress.track("Building something with a very long name", async (report) => {
      report(1, 2);
      await vi.advanceTimersByTimeAsync(500);
    });
    const drawn = written.map((text) => text.replace("\r\u001b[K", ""));
    expect(written.every((text) => text.startsWith("\r"))).toBe(true);
    expect(drawn.slice(0, -1).every((line) => line.length < 60 && !line.includes("\n"))).toBe(true);
    expect(drawn.at(-1)).toBe("✓ Building something with a very long name (0.5 s)\n");
  });

  it("marks a step that failed and passes its error on", async () => {
    const { progress, written } = capture(false);
    await expect(progress.track("Building", () => Promise.reject(new Error("no space")))).rejects.toThrow("no space");
    expect(written.at(-1)).toMatch(/^✗ Building/);
  });
});
