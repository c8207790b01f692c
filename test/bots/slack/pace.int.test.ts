import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { PaceLimit, PaceStore } from "../../../bots/shared/pace-limit.ts";
import { createPace, type PacedCall } from "../../../bots/slack/pace.ts";
import { createPaceStore } from "../../../bots/shared/pace-store.ts";
import { createDatabase, type Database } from "../../../src/database.ts";
import { createTestDatabase, type TestDatabase } from "../../support/database.ts";

let test: TestDatabase;
let workers: Database[];
let store: PaceStore;
let other: PaceStore;
beforeAll(async () => {
  test = await createTestDatabase();
  workers = [1, 2].map(() => createDatabase(test.url, () => undefined));
  const [first, second] = workers.map((database) => createPaceStore(database));
  if (!first || !second) throw new Error("no store");
  store = first;
  other = second;
});
afterAll(async () => {
  for (const worker of workers) await worker.close();
  await test.drop();
});

let keys = 0;
/** Slots far apart, so that how long a test takes does not matter. */
const INTERVAL_MS = 100_000;
const newLimit = (burst = 3): PaceLimit => ({ key: `k${++keys}`, intervalMs: INTERVAL_MS, burst });
/** Which slot a wait is for, counted from now. */
const slot = (waitMs: number) => Math.ceil(waitMs / INTERVAL_MS);
const { signal } = new AbortController();

describe("paces of all workers together", () => {
  it("the first calls need not wait, the others come one an interval", async () => {
    const limit = newLimit();
    const slots: number[] = [];
    for (const from of [store, other, store, other, store]) slots.push(slot(await from.reserve([limit])));
    expect(slots).toEqual([0, 0, 0, 1, 2]);
  });

  it("no slot is given twice, whoever asks at the same time", async () => {
    const limit = newLimit(1);
    const asked = Array.from({ length: 40 }, (_, index) => (index % 2 === 0 ? store : other).reserve([limit]));
    const slots = (await Promise.all(asked)).map((waitMs) => slot(waitMs));
    expect(slots.toSorted((a, b) => a - b)).toEqual(Array.from({ length: 40 }, (_, index) => index));
  });

  it("several limits are taken together, without workers waiting for each other", async () => {
    const [one, two] = [newLimit(1), newLimit(2)];
    const asked = Array.from({ length: 40 }, (_, index) => store.reserve(index % 2 === 0 ? [one, two] : [two, one]));
    const slots = (await Promise.all(asked)).map((waitMs) => slot(waitMs));
    expect(Math.max(...slots)).toBe(39);
    expect(slot(await other.reserve([two]))).toBe(39);
  });

  it("spare calls leave half of the burst to the others", async () => {
    const limit = newLimit(4);
    const spare: boolean[] = [];
    for (let count = 0; count < 5; count++) spare.push((await store.reserveSpare(limit)) === 0);
    expect(spare).toEqual([true, true, true, false, false]);
    expect(await other.reserve([limit])).toBe(0);
  });

  it("what Slack asked to wait holds for every worker", async () => {
    const limit = newLimit();
    await store.hold(limit, 30 * INTERVAL_MS);
    expect(await other.heldMs([limit.key])).toBeGreaterThan(29 * INTERVAL_MS);
    expect(slot(await other.reserve([limit]))).toBe(30);
    expect(slot(await store.reserve([limit]))).toBe(31);
    expect(await other.reserveSpare(limit)).toBeGreaterThan(0);
    expect(await store.heldMs(["never held"])).toBe(0);
  });

  it("what is at rest is forgotten, what is not stays", async () => {
    const limit = newLimit();
    await store.hold(limit, INTERVAL_MS);
    await store.forget(0);
    expect(await store.heldMs([limit.key])).toBeGreaterThan(0);
    await store.forget(-1_000 * INTERVAL_MS);
    expect(await store.heldMs([limit.key])).toBe(0);
  });
});

describe("a turn", () => {
  const call = (fields: Partial<PacedCall> = {}): PacedCall => ({
    team: `T${++keys}`,
    method: "chat.postMessage",
    channel: "C1",
    urgency: "normal",
    ...fields,
  });

  it("of another channel or workspace does not wait for a full one", async () => {
    const pace = createPace(store);
    const full = call();
    await pace.holdOff(full, 10_000_000);
    await pace.turn({ ...full, channel: "C2" }, signal);
    await pace.turn(call({ team: "T999" }), signal);
    await expect(pace.turn(full, AbortSignal.timeout(20))).rejects.toMatchObject({ name: "TimeoutError" });
  });

  it("that was given out before Slack asked to wait is void", async () => {
    const seen: string[] = [];
    const waits = [1, 0];
    const held = [5, 0];
    const fake: PaceStore = {
      reserve: async () => {
        seen.push("reserve");
        return waits.shift() ?? 0;
      },
      heldMs: async () => held.shift() ?? 0,
      reserveSpare: async () => 0,
      hold: async () => undefined,
      forget: async () => undefined,
    };
    await createPace(fake).turn(call(), signal);
    expect(seen).toEqual(["reserve", "reserve"]);
  });

  it("that is not worth waiting for is taken only when there is room", async () => {
    const pace = createPace(store);
    const update = call({ method: "agents.sessions.setStatus", channel: null });
    expect(await pace.spareNow(update)).toBe(true);
    await pace.holdOff(update, 10_000_000);
    expect(await pace.spareNow(update)).toBe(false);
  });
});
