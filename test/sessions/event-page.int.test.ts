import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type EventPageQuery, readEventPage } from "../../src/sessions/event-page.ts";
import { agentMessage, plain } from "../support/events.ts";
import { openSessionDatabase, type SessionDatabase, WORKSPACE } from "../support/session-database.ts";

describe("a page of events", () => {
  let db: SessionDatabase;
  let id: string;
  const committed: string[] = [];
  const queued: string[] = [];

  beforeAll(async () => {
    db = await openSessionDatabase({ leaseMs: 60_000 });
    id = await db.newSession({ status: "running" });
    const lease = await db.leases.acquire(id, "a");
    if (!lease) throw new Error("no lease");
    for (let index = 0; index < 10; index++) {
      const event = index % 3 === 0 ? plain("agent.thinking") : agentMessage(`${index}`);
      const processed_at = new Date(Date.UTC(2026, 0, 1, 0, 0, index)).toISOString();
      committed.push(event.id);
      await db.log.append({ fence: lease.fence, events: [{ event: { ...event, processed_at } }], state: null });
    }
    queued.push(...(await db.send(id, "one", "two", "three")).map((event) => event.id));
  });
  afterAll(() => db.close());

  const page = (query: Partial<EventPageQuery>) =>
    readEventPage(db.pool, WORKSPACE, id, { order: "asc", limit: 100, after: null, ...query });
  const ids = async (query: Partial<EventPageQuery>) => (await page(query)).data.map((event) => event.id);

  it("shows committed events, then queued ones as unprocessed", async () => {
    expect(await ids({})).toEqual([...committed, ...queued]);
    expect((await page({})).data.slice(-3).map((event) => event.processed_at)).toEqual([null, null, null]);
    expect(await ids({ order: "desc" })).toEqual([...committed, ...queued].toReversed());
  });

  it("of any size, one after the other, shows everything once and in order", async () => {
    const all = [...committed, ...queued];
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 15 }),
        fc.constantFrom("asc" as const, "desc" as const),
        async (limit, order) => {
          const seen: string[] = [];
          let after: string | null = null;
          do {
            const { data, next } = await page({ limit, order, after });
            expect(data.length).toBeGreaterThan(0);
            seen.push(...data.map((event) => event.id));
            after = next;
          } while (after !== null);
          expect(seen).toEqual(order === "asc" ? all : all.toReversed());
        },
      ),
      { numRuns: 20 },
    );
  });

  it("filters by type and by the time of processing, which queued events have none of", async () => {
    expect(await ids({ types: ["agent.thinking"] })).toEqual(committed.filter((_, index) => index % 3 === 0));
    expect(await ids({ types: ["user.message"] })).toEqual(queued);
    expect(await ids({ types: ["no.such_type"] })).toEqual([]);
    const at = (second: number) => new Date(Date.UTC(2026, 0, 1, 0, 0, second)).toISOString();
    expect(await ids({ createdAt: { gt: at(3), lte: at(6) } })).toEqual(committed.slice(4, 7));
    expect(await ids({ createdAt: { gte: at(3), lt: at(6) } })).toEqual(committed.slice(3, 6));
  });

  it("of another workspace's session is not there", async () => {
    const query = { order: "asc" as const, limit: 1, after: null };
    await expect(readEventPage(db.pool, "wrkspc_other", id, query)).rejects.toMatchObject({ code: "not_found" });
  });
});
