import { afterEach, expect, it } from "vitest";
import type { Queue } from "../../src/queue/queue.ts";

export interface QueueDriver {
  connect(): Promise<Queue>;
  /** Puts a job past the schema, as an older version of this program might have. */
  enqueueRaw(payload: unknown): Promise<void>;
  /** Cuts every connection to the backend. */
  breakConnections(): Promise<void>;
}

/** What `queue.ts` promises, for each backend. */
export function queueContract(driver: () => QueueDriver): void {
  const open: Queue[] = [];
  const connect = async () => {
    const queue = await driver().connect();
    open.push(queue);
    return queue;
  };
  afterEach(async () => {
    await Promise.all(open.splice(0).map((queue) => queue.close()));
  });
  const hint = (queue: Queue, id: string, delayMs?: number) =>
    queue.enqueue("run-session", { session_id: id }, delayMs === undefined ? {} : { delayMs });

  it("hands each job to one of many workers", async () => {
    const [a, b] = [await connect(), await connect()];
    const handled: string[] = [];
    for (const queue of [a, b, b]) {
      await queue.work("run-session", async ({ session_id }) => void handled.push(session_id), { concurrency: 3 });
    }
    const ids = Array.from({ length: 60 }, (_, index) => `sesn_${index}`);
    await Promise.all(ids.map((id) => hint(a, id)));
    await expect.poll(() => handled.length, { timeout: 5_000 }).toBe(ids.length);
    expect(handled.toSorted()).toEqual(ids.toSorted());
  });

  it("keeps a job for a worker that comes later", async () => {
    const queue = await connect();
    await hint(queue, "sesn_waiting");
    const handled: string[] = [];
    await queue.work("run-session", async ({ session_id }) => void handled.push(session_id), { concurrency: 1 });
    await expect.poll(() => handled, { timeout: 5_000 }).toEqual(["sesn_waiting"]);
  });

  it("holds a delayed job back until its time", async () => {
    const queue = await connect();
    const handled: { id: string; at: number }[] = [];
    const note = async ({ session_id }: { session_id: string }) =>
      void handled.push({ id: session_id, at: performance.now() });
    await queue.work("run-session", note, { concurrency: 1 });
    const asked = performance.now();
    await hint(queue, "sesn_late", 300);
    await hint(queue, "sesn_now");
    await expect.poll(() => handled.map(({ id }) => id), { timeout: 5_000 }).toEqual(["sesn_now", "sesn_late"]);
    expect((handled[1]?.at ?? 0) - asked).toBeGreaterThanOrEqual(290);
  });

  it("does not try a job again that failed, and goes on with the next", async () => {
    const queue = await connect();
    const handled: string[] = [];
    const fail = async ({ session_id }: { session_id: string }) => {
      handled.push(session_id);
      throw new Error("the handler fails");
    };
    await queue.work("run-session", fail, { concurrency: 1 });
    await hint(queue, "sesn_1");
    await hint(queue, "sesn_2");
    await hint(queue, "sesn_3");
    await expect.poll(() => handled.toSorted(), { timeout: 5_000 }).toEqual(["sesn_1", "sesn_2", "sesn_3"]);
  });

  it("drops a payload that does not parse, and goes on with the next", async () => {
    const queue = await connect();
    const handled: string[] = [];
    await queue.work("run-session", async ({ session_id }) => void handled.push(session_id), { concurrency: 1 });
    await driver().enqueueRaw({ session: 7 });
    await hint(queue, "sesn_good");
    await expect.poll(() => handled, { timeout: 5_000 }).toEqual(["sesn_good"]);
  });

  it("stops a worker by aborting the signal of what runs and waiting for it, once however often it is asked", async () => {
    const queue = await connect();
    const started = Promise.withResolvers<void>();
    const finish = Promise.withResolvers<void>();
    let aborted = false;
    const worker = await queue.work(
      "run-session",
      async (_payload, signal) => {
        signal.addEventListener("abort", () => (aborted = true));
        started.resolve();
        await finish.promise;
      },
      { concurrency: 1 },
    );
    await hint(queue, "sesn_1");
    await started.promise;
    let stopped = 0;
    const stops = [worker.stop(), worker.stop()].map((stop) => stop.then(() => (stopped += 1)));
    await expect.poll(() => aborted).toBe(true);
    expect(stopped).toBe(0);
    finish.resolve();
    await Promise.all(stops);
    await queue.close();
    await queue.close();
  });

  it("goes on after its connections broke", async () => {
    const queue = await connect();
    const handled: string[] = [];
    await queue.work("run-session", async ({ session_id }) => void handled.push(session_id), { concurrency: 1 });
    await hint(queue, "sesn_before");
    await expect.poll(() => handled, { timeout: 5_000 }).toEqual(["sesn_before"]);
    await driver().breakConnections();
    await expect
      .poll(
        async () => {
          await hint(queue, "sesn_after").catch(() => undefined); // A hint may be lost while the backend is away.
          return handled.includes("sesn_after");
        },
        { timeout: 15_000, interval: 200 },
      )
      .toBe(true);
  });
}
