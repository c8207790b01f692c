import { PassThrough, Readable } from "node:stream";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import { followEngineStream } from "../../src/embedded/engine-stream.ts";

const options = { silenceMaxMs: 60_000, signal: AbortSignal.any([]) };
const messages = (...list: object[]) => Readable.from(list.map((message) => `${JSON.stringify(message)}\r\n`));

describe("followEngineStream", () => {
  it("passes on each line of a build or a pull", async () => {
    const lines: string[] = [];
    const stream = messages(
      { stream: "Step 1/2 : FROM x\n" },
      { stream: "\n" },
      { status: "Pulling" },
      { aux: { ID: "sha256:1" } },
    );
    await followEngineStream(stream, options, (line) => lines.push(line));
    expect(lines).toEqual(["Step 1/2 : FROM x", "Pulling"]);
  });

  it("rejects with the engine's error and what was said before it", async () => {
    const stream = messages(
      { stream: "E: Unable to locate package nope\n" },
      { error: "returned a non-zero code: 100" },
    );
    await expect(followEngineStream(stream, options, () => {})).rejects.toThrow(
      "E: Unable to locate package nope\nreturned a non-zero code: 100",
    );
  });

  it("gives up on an engine that says nothing", async () => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    onTestFinished(() => void vi.useRealTimers());
    const stream = new PassThrough();
    const [followed] = await Promise.allSettled([
      followEngineStream(stream, options, () => {}),
      vi.advanceTimersByTimeAsync(60_001),
    ]);
    expect(followed).toMatchObject({
      status: "rejected",
      reason: { message: "The Docker engine said nothing for 60 s." },
    });
    expect(stream.destroyed).toBe(true);
  });

  it("lets go of the stream and rejects with the signal's reason on abort", async () => {
    const stopping = new AbortController();
    const stream = new PassThrough();
    const followed = followEngineStream(stream, { ...options, signal: stopping.signal }, () => {});
    stopping.abort(new Error("Ctrl-C"));
    await expect(followed).rejects.toThrow("Ctrl-C");
    expect(stream.destroyed).toBe(true);
  });
});
