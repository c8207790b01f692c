import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { startPeriodic } from "../../workers/periodic.ts";
import { startSandboxReaper } from "../../workers/reap-sandboxes.ts";
import { startSweeper } from "../../workers/sweep.ts";
import { SILENT } from "../support/silent-log.ts";

describe("a periodic task", () => {
  beforeEach(() => void vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "Date"] }));
  afterEach(() => void vi.useRealTimers());

  it("runs at once, then one run at a time, also when a run fails", async () => {
    let runs = 0;
    let atOnce = 0;
    const failing = async () => {
      runs += 1;
      expect(++atOnce).toBe(1);
      await Promise.resolve();
      atOnce -= 1;
      throw new Error("it fails");
    };
    const task = startPeriodic("test", 100, failing, SILENT);
    await expect.poll(() => runs).toBe(1);
    await task.stop();
  });

  it("waits for a run that is under way when it stops, and can be stopped twice", async () => {
    const under = Promise.withResolvers<void>();
    const task = startPeriodic("test", 100, () => under.promise, SILENT);
    let stopped = false;
    const stopping = Promise.all([task.stop(), task.stop()]).then(() => (stopped = true));
    await Promise.resolve();
    expect(stopped).toBe(false);
    under.resolve();
    await stopping;
  });
});

describe("the sweeper", () => {
  it("hints at every session with work that nobody is at", async () => {
    const hinted: string[] = [];
    const found = Promise.withResolvers<void>();
    const sweeper = startSweeper({
      leases: { abandoned: async () => ["sesn_1", "sesn_2"] },
      hintRun: async (id) => {
        if (hinted.push(id) === 2) found.resolve();
      },
      leaseMs: 60_000,
      log: SILENT,
    });
    await found.promise;
    expect(hinted).toEqual(["sesn_1", "sesn_2"]);
    await sweeper.stop();
  });

  it("does not flood a busy queue with one session's hints, but hints at once when it was taken up in between", async () => {
    const found = [["sesn_1"], ["sesn_1"], ["sesn_1"], [], ["sesn_1"]];
    const hintedInSweep: number[] = [];
    let sweeps = 0;
    const done = Promise.withResolvers<void>();
    const sweeper = startSweeper({
      leases: {
        abandoned: async () => {
          if (sweeps === found.length) done.resolve();
          return found[sweeps++] ?? [];
        },
      },
      hintRun: async () => {
        hintedInSweep.push(sweeps);
      },
      leaseMs: 5,
      log: SILENT,
    });
    await done.promise;
    await sweeper.stop();
    expect(hintedInSweep).toEqual([1, 5]);
  });
});

describe("the reaper", () => {
  it("removes the sandboxes of ended sessions and no others", async () => {
    const boxes = new Map([
      ["box_live", "sesn_live"],
      ["box_ended", "sesn_ended"],
    ]);
    const done = Promise.withResolvers<void>();
    const reaper = startSandboxReaper({
      provider: {
        list: async () => [...boxes].map(([ref, sessionId]) => ({ ref, sessionId })),
        destroy: async (ref) => {
          boxes.delete(ref);
          done.resolve();
        },
      },
      store: {
        endedSessions: async (ids) => ids.filter((id) => id === "sesn_ended"),
        forgetDeleted: async () => undefined,
      },
      log: SILENT,
    });
    await done.promise;
    await reaper.stop();
    expect([...boxes.keys()]).toEqual(["box_live"]);
  });
});
