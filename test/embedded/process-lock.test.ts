import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { setImmediate } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { processIdentity } from "../../src/embedded/process-identity.ts";
import { withProcessLock } from "../../src/embedded/process-lock.ts";

const signal = AbortSignal.any([]);
let dir: string;
let file: string;
beforeEach(async () => {
  dir = await mkdtemp(path.join(os.tmpdir(), "deckhand-lock-"));
  file = path.join(dir, "lock");
});
afterEach(() => rm(dir, { recursive: true, force: true }));

async function identityOfADeadProcess(): Promise<string> {
  const child = spawn("sleep", ["60"]);
  await once(child, "spawn");
  const identity = await processIdentity(child.pid ?? -1);
  child.kill("SIGKILL");
  await once(child, "exit");
  return identity ?? "";
}

describe("withProcessLock", () => {
  it("lets one in at a time, also past a lock whose holder was killed", async () => {
    await writeFile(file, await identityOfADeadProcess());
    let inside = 0;
    let most = 0;
    const work = async () => {
      most = Math.max(most, ++inside);
      for (let turn = 0; turn < 20; turn++) await setImmediate();
      inside--;
    };
    await Promise.all(Array.from({ length: 8 }, () => withProcessLock(file, signal, work)));
    expect(most).toBe(1);
    expect(await readdir(dir)).toEqual([]);
  });

  it("is released when the work throws", async () => {
    await expect(withProcessLock(file, signal, () => Promise.reject(new Error("broken")))).rejects.toThrow("broken");
    expect(await withProcessLock(file, signal, async () => "free again")).toBe("free again");
  });

  it("stops waiting when the signal aborts, without touching the holder's lock", async () => {
    const waiting = new AbortController();
    await withProcessLock(file, signal, async () => {
      const second = withProcessLock(file, waiting.signal, async () => "never");
      waiting.abort(new Error("no more patience"));
      await expect(second).rejects.toThrow("no more patience");
      expect(await readdir(dir)).toEqual(["lock"]);
    });
  });
});
