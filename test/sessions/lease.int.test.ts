import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createLeases } from "../../src/sessions/lease.ts";
import { agentMessage, stateOf } from "../support/events.ts";
import { openSessionDatabase, type SessionDatabase } from "../support/session-database.ts";

describe("a lease", () => {
  let db: SessionDatabase;
  beforeAll(async () => {
    db = await openSessionDatabase({ leaseMs: 60_000 });
  });
  afterAll(() => db.close());

  it("goes to one of fifty who ask at once", async () => {
    for (let round = 0; round < 10; round++) {
      const id = await db.newSession({ status: "running" });
      const asked = Array.from({ length: 50 }, (_, index) => db.leases.acquire(id, `owner-${index}`));
      const granted = (await Promise.all(asked)).filter((lease) => lease !== null);
      expect(granted).toHaveLength(1);
      expect(granted[0]?.fence.epoch).toBe(1);
    }
  });

  it("is granted again only after it expired, with a higher epoch", async () => {
    const id = await db.newSession({ status: "running" });
    const first = await db.leases.acquire(id, "a");
    expect(await db.leases.acquire(id, "b")).toBeNull();
    await db.expireLease(id);
    const second = await db.leases.acquire(id, "b");
    expect(second?.fence.epoch).toBe((first?.fence.epoch ?? 0) + 1);
  });

  it("is not granted where there is nothing to do", async () => {
    expect(await db.leases.acquire(await db.newSession(), "a")).toBeNull();
    expect(await db.leases.acquire(await db.newSession({ status: "terminated" }), "a")).toBeNull();
    expect(await db.leases.acquire("sesn_none", "a")).toBeNull();
  });

  it("can be renewed by its holder only, who learns how many events wait", async () => {
    const id = await db.newSession({ status: "running" });
    const lease = await db.leases.acquire(id, "a");
    if (!lease) throw new Error("no lease");
    await db.send(id, "one", "two");
    expect(await db.leases.renew(lease.fence)).toEqual({ queuedCount: 2 });
    await db.expireLease(id);
    const next = await db.leases.acquire(id, "b");
    expect(await db.leases.renew(lease.fence)).toBeNull();
    await db.leases.release(lease.fence);
    expect((await db.row(id)).leaseOwner).toBe("b");
    expect(await db.leases.renew(next?.fence ?? lease.fence)).not.toBeNull();
  });

  it("stays given back when a renewal comes late, so the next message is taken up at once", async () => {
    const id = await db.newSession({ status: "running" });
    const lease = await db.leases.acquire(id, "a");
    if (!lease) throw new Error("no lease");
    await db.log.append({ fence: lease.fence, events: [], state: stateOf("idle"), release: { idle: true } });
    expect(await db.leases.renew(lease.fence)).toBeNull();
    await db.send(id, "next");
    expect(await db.leases.acquire(id, "b")).not.toBeNull();
  });

  it("brings the session's state with it", async () => {
    const id = await db.newSession({ status: "running" });
    const lease = await db.leases.acquire(id, "a");
    if (!lease) throw new Error("no lease");
    const wakeAt = new Date(Date.now() + 60_000);
    const state = { ...stateOf("rescheduling"), activeMs: 1_234 };
    await db.log.append({ fence: lease.fence, events: [{ event: agentMessage("x") }], state, release: { wakeAt } });
    expect(await db.leases.acquire(id, "b")).toMatchObject({ state, wakeAt, queuedCount: 0 });
  });

  it("is found abandoned when its holder is gone or nobody came, and only then", async () => {
    const short = createLeases(db.pool, 1);
    const idle = await db.newSession();
    const held = await db.newSession({ status: "running" });
    await db.leases.acquire(held, "a");
    const dead = await db.newSession({ status: "running" });
    await short.acquire(dead, "a");
    const unhinted = await db.newSession();
    await db.send(unhinted, "hello?");
    const pausing = await db.newSession({ status: "rescheduling" });
    await db.prisma.session.update({ where: { id: pausing }, data: { wakeAt: new Date(Date.now() + 60_000) } });
    const due = await db.newSession({ status: "rescheduling" });
    await db.prisma.session.update({ where: { id: due }, data: { wakeAt: new Date(0) } });
    await expect.poll(() => db.leases.abandoned(1_000)).toEqual(expect.arrayContaining([dead, unhinted, due]));
    const abandoned = await db.leases.abandoned(1_000);
    for (const id of [idle, held, pausing]) expect(abandoned).not.toContain(id);
  });
});
