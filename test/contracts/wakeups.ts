import { afterEach, expect, it } from "vitest";
import type { Wakeup, Wakeups } from "../../src/sessions/wakeups.ts";

export interface WakeupsDriver {
  /** As another process would. */
  connect(): Promise<Wakeups>;
  /** Cuts the connections on which wake-ups come in, of every process. */
  breakConnections(): Promise<void>;
}

/** What `wakeups.ts` promises, for each driver. Drivers are asked for inside tests. */
export function wakeupsContract(driver: () => WakeupsDriver): void {
  const open: Wakeups[] = [];
  const connect = async () => {
    const wakeups = await driver().connect();
    open.push(wakeups);
    return wakeups;
  };
  afterEach(async () => {
    await Promise.all(open.splice(0).map((wakeups) => wakeups.close()));
  });

  /** Collects wake-ups, and tells when there are enough. */
  const collect = async (wakeups: Wakeups, sessionId: string) => {
    const got: Wakeup[] = [];
    const unsubscribe = await wakeups.subscribe(sessionId, (wakeup) => got.push(wakeup));
    return { got, unsubscribe };
  };
  const delta = (text: string, frame: number): Wakeup => ({
    sessionId: "s",
    frame,
    preview: {
      type: "event_delta",
      event_id: "sevt_1",
      delta: { type: "content_delta", index: 0, content: { type: "text", text } },
    },
  });

  it("reaches a listener in this process and in another one", async () => {
    const [here, there] = [await connect(), await connect()];
    const near = await collect(here, "s");
    const far = await collect(there, "s");
    here.publish({ sessionId: "s", inbox: true });
    await expect.poll(() => far.got).toEqual([{ sessionId: "s", inbox: true }]);
    expect(near.got).toEqual([{ sessionId: "s", inbox: true }]);
  });

  it("wakes nobody who listens to another session or has stopped listening", async () => {
    const [here, there] = [await connect(), await connect()];
    const other = await collect(there, "other");
    const stopped = await collect(there, "s");
    const kept = await collect(there, "s");
    stopped.unsubscribe();
    here.publish({ sessionId: "s" });
    await expect.poll(() => kept.got).toHaveLength(1);
    expect([...other.got, ...stopped.got]).toEqual([]);
  });

  it("keeps one publisher's order, and merges no two previews, even when they say the same", async () => {
    const [here, there] = [await connect(), await connect()];
    const far = await collect(there, "s");
    const sent = Array.from({ length: 500 }, (_, frame) => delta("ha", frame));
    for (const wakeup of sent) here.publish(wakeup);
    await expect.poll(() => far.got.length).toBe(sent.length);
    expect(far.got).toEqual(sent);
  });

  it("takes a preview of any size without failing", async () => {
    const [here, there] = [await connect(), await connect()];
    const far = await collect(there, "s");
    here.publish(delta("€".repeat(100_000), 0));
    here.publish({ sessionId: "s", deleted: true });
    await expect.poll(() => far.got.at(-1)).toEqual({ sessionId: "s", deleted: true });
  });

  it("wakes every listener once more after its connection broke, and goes on", async () => {
    const [here, there] = [await connect(), await connect()];
    const far = await collect(there, "s");
    await driver().breakConnections();
    await expect.poll(() => far.got.length, { timeout: 5_000 }).toBeGreaterThan(0);
    const before = far.got.length;
    here.publish({ sessionId: "s", deleted: true });
    await expect
      .poll(() => far.got.slice(before), { timeout: 5_000 })
      .toContainEqual({ sessionId: "s", deleted: true });
  });

  it("closes twice, in the middle of a broken connection too, and is silent afterwards", async () => {
    const [here, there] = [await connect(), await connect()];
    const far = await collect(there, "s");
    await driver().breakConnections();
    await there.close();
    await there.close();
    const before = far.got.length;
    here.publish({ sessionId: "s" });
    there.publish({ sessionId: "s" });
    const other = await collect(here, "t");
    here.publish({ sessionId: "t" });
    await expect.poll(() => other.got).toHaveLength(1);
    expect(far.got).toHaveLength(before);
  });
}
