import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { ChatRecords, PendingItem } from "../../../bots/shared/chat-records.ts";
import { createDatabaseChatRecords } from "../../../bots/shared/chat-records-store.ts";
import type { ChatThreadKey } from "../../../bots/shared/chat-thread.ts";
import type { InboundItem } from "../../../bots/shared/inbound-item.ts";
import { createDatabase, type Database } from "../../../src/database.ts";
import { createTestDatabase, type TestDatabase } from "../../support/database.ts";

const HOUR_MS = 3_600_000;
let test: TestDatabase;
let database: Database;
let inbox: ChatRecords["inbox"];
beforeAll(async () => {
  test = await createTestDatabase();
  database = createDatabase(test.url, () => undefined);
  inbox = createDatabaseChatRecords(database).inbox;
});
afterAll(async () => {
  await database.close();
  await test.drop();
});

let count = 0;
const newThread = (): ChatThreadKey => `slack:T1:C1:${++count}.0`;
const said = (text: string): Extract<InboundItem, { type: "message" }> => ({
  type: "message",
  personId: "U1",
  text,
  attachments: [],
  addressed: true,
  agentId: null,
  reactTo: null,
});
const decision: InboundItem = { type: "decision", personId: "U1", toolUseId: "t", decision: "allow", reason: null };
const stop: InboundItem = { type: "stop", personId: "U1" };
const idOf = (item: PendingItem | null) => item?.messageId ?? null;

async function threadWith(...items: [string, InboundItem][]): Promise<ChatThreadKey> {
  const thread = newThread();
  for (const [id, item] of items) await inbox.keep(thread, id, item, null);
  return thread;
}

describe("keeping", () => {
  it("lets one of many deliveries of the same message in, whatever their receipts", async () => {
    const thread = newThread();
    const kept = await Promise.all(["a", "b", "c", "d"].map((id) => inbox.keep(thread, "m1", said("Hi"), `${id}1`)));
    expect(kept.filter(Boolean)).toHaveLength(1);
    expect(await inbox.keep(thread, "m1", said("Hi"), null)).toBe(false);
  });

  it("lets one of many deliveries with the same receipt in, whatever they hold", async () => {
    const thread = newThread();
    const kept = await Promise.all(["1", "2", "3", "4"].map((id) => inbox.keep(thread, id, said("Hi"), "same")));
    expect(kept.filter(Boolean)).toHaveLength(1);
  });
});

describe("claiming", () => {
  it("gives messages one after another, oldest first, as they were kept", async () => {
    const thread = await threadWith(["m2", said("First")], ["m1", said("Second")]);
    const first = await inbox.claimNext(thread, HOUR_MS);
    expect(first).toMatchObject({ messageId: "m2", item: said("First"), attempts: 0 });
    expect(await inbox.claimNext(thread, HOUR_MS)).toBeNull();
    expect(await inbox.settle(thread, "m2", "sevt_1")).toBe(true);
    expect(idOf(await inbox.claimNext(thread, HOUR_MS))).toBe("m1");
  });

  it("gives one of many claimers a message, while others are kept at the same moment", async () => {
    const thread = newThread();
    const claims = await Promise.all(
      Array.from({ length: 8 }, async (_, index) => {
        await inbox.keep(thread, `m${index}`, said("Hi"), null);
        return inbox.claimNext(thread, HOUR_MS);
      }),
    );
    expect(claims.filter((claim) => claim !== null)).toHaveLength(1);
  });

  it("hands an item on when its claim lapses, and the one before can neither renew nor postpone it", async () => {
    const thread = await threadWith(["m1", said("Hi")]);
    const dead = await inbox.claimNext(thread, -1);
    const next = await inbox.claimNext(thread, HOUR_MS);
    expect([dead?.attempts, next?.attempts]).toEqual([0, 1]);
    expect(dead && (await inbox.renew(thread, dead, HOUR_MS))).toBe(false);
    if (dead) await inbox.postpone(thread, dead, 0);
    expect(await inbox.claimNext(thread, HOUR_MS)).toBeNull();
    expect(next && (await inbox.renew(thread, next, HOUR_MS))).toBe(true);
  });

  it("keeps the place of a postponed item: what came after it waits", async () => {
    const thread = await threadWith(["m1", said("First")], ["m2", said("Second")]);
    const first = await inbox.claimNext(thread, HOUR_MS);
    if (first) await inbox.postpone(thread, first, HOUR_MS);
    expect(await inbox.claimNext(thread, HOUR_MS)).toBeNull();
    if (first) await inbox.postpone(thread, first, -1);
    expect(await inbox.claimNext(thread, HOUR_MS)).toMatchObject({ messageId: "m1", attempts: 1 });
  });

  it("lets decisions and stops overtake messages, a claimed one too, and messages wait for them", async () => {
    const thread = await threadWith(["m1", said("First")], ["m2", said("Second")]);
    expect(idOf(await inbox.claimNext(thread, HOUR_MS))).toBe("m1");
    await inbox.keep(thread, "d1", decision, null);
    await inbox.keep(thread, "s1", stop, null);
    expect(idOf(await inbox.claimNext(thread, HOUR_MS))).toBe("d1");
    await inbox.settle(thread, "m1", null);
    expect(await inbox.claimNext(thread, HOUR_MS)).toBeNull();
    await inbox.settle(thread, "d1", null);
    expect(idOf(await inbox.claimNext(thread, HOUR_MS))).toBe("s1");
    await inbox.settle(thread, "s1", null);
    expect(idOf(await inbox.claimNext(thread, HOUR_MS))).toBe("m2");
  });

  it("lets messages pass a decision or stop that was tried more than twice, a postponed one too", async () => {
    const thread = await threadWith(["s1", stop], ["m1", said("First")]);
    for (const _ of [1, 2]) {
      const tried = await inbox.claimNext(thread, HOUR_MS);
      expect(idOf(tried)).toBe("s1");
      expect(await inbox.claimNext(thread, HOUR_MS)).toBeNull();
      if (tried) await inbox.postpone(thread, tried, -1);
    }
    const third = await inbox.claimNext(thread, HOUR_MS);
    if (third) await inbox.postpone(thread, third, HOUR_MS);
    expect(await inbox.unsettled(["slack"], 1_000)).toContain(thread);
    expect(idOf(await inbox.claimNext(thread, HOUR_MS))).toBe("m1");
  });

  it("forgets what was said once it is settled, and notes what it became", async () => {
    const thread = await threadWith(["m1", said("A secret")]);
    await inbox.settle(thread, "m1", "sevt_9");
    const row = await database.prisma.chatInbound.findFirstOrThrow({ where: { chatThreadKey: thread } });
    expect(row).toMatchObject({ payload: null, eventId: "sevt_9" });
    expect(await inbox.settle(thread, "m1", "sevt_9")).toBe(true);
  });
});

describe("files that may follow", () => {
  const bare = { ...said("Sum it up"), filesMayFollow: true };
  const csv = { filename: "q3.csv", ref: "F1", sizeBytes: 3 };
  const due = (thread: ChatThreadKey) =>
    database.prisma.chatInbound.updateMany({ where: { chatThreadKey: thread }, data: { claimedUntil: null } });

  it("are awaited for a while, and hold up nothing meanwhile", async () => {
    const thread = await threadWith(["m1", bare], ["m2", said("More")], ["s1", stop]);
    for (const id of ["s1", "m1", "m2"]) {
      expect(idOf(await inbox.claimNext(thread, HOUR_MS))).toBe(id);
      await inbox.settle(thread, id, null);
    }
    expect(await inbox.claimNext(thread, HOUR_MS)).toBeNull();
    expect(await inbox.unsettled(["slack"], 1_000)).not.toContain(thread);
    await due(thread);
    expect(await inbox.unsettled(["slack"], 1_000)).toContain(thread);
    const item = { type: "files", personId: "U1", of: "m1", attachments: null };
    expect(await inbox.claimNext(thread, HOUR_MS)).toMatchObject({ item });
  });

  it("are brought once, and given out when their message was dealt with", async () => {
    const thread = await threadWith(["m1", bare]);
    expect(await inbox.bringFiles(thread, "m1", [csv])).toBe(true);
    expect(await inbox.bringFiles(thread, "m1", [csv])).toBe(false);
    expect(idOf(await inbox.claimNext(thread, HOUR_MS))).toBe("m1");
    expect(await inbox.claimNext(thread, HOUR_MS)).toBeNull();
    await inbox.settle(thread, "m1", "sevt_1");
    const files = await inbox.claimNext(thread, HOUR_MS);
    expect(files?.item).toMatchObject({ type: "files", of: "m1", attachments: [csv] });
    await inbox.settle(thread, idOf(files) ?? "", "sevt_2");
    expect(await inbox.bringFiles(thread, "m1", [csv])).toBe(false);
  });

  it("are awaited no longer when the message is said to have none", async () => {
    const thread = await threadWith(["m1", bare]);
    await inbox.settle(thread, "m1", "sevt_1");
    expect(await inbox.bringFiles(thread, "m1", [])).toBe(false);
    await due(thread);
    expect(await inbox.claimNext(thread, HOUR_MS)).toBeNull();
  });

  it("are not awaited for a message that came with what it has, however often that is delivered", async () => {
    const thread = await threadWith(["m1", said("Sum it up")], ["m1", bare]);
    expect(await inbox.bringFiles(thread, "m1", [csv])).toBe(false);
    await inbox.settle(thread, "m1", "sevt_1");
    await due(thread);
    expect(await inbox.claimNext(thread, HOUR_MS)).toBeNull();
  });

  it("are dropped by a stop with their message, and also when that was sent before", async () => {
    const thread = await threadWith(["m1", bare], ["m2", bare], ["s1", stop]);
    await inbox.settle(thread, "m1", "sevt_1");
    expect(await inbox.dropMessages(thread, "s1")).toBe(1);
    await inbox.settle(thread, "s1", null);
    await due(thread);
    expect(await inbox.claimNext(thread, HOUR_MS)).toBeNull();
  });
});

describe("dropping", () => {
  it("settles the messages before a stop, the claimed one too, and none that came after it", async () => {
    const thread = await threadWith(["m1", said("1")], ["m2", said("2")], ["d1", decision]);
    await inbox.keep(thread, "s1", stop, null);
    await inbox.keep(thread, "m3", said("3"), null);
    const other = await threadWith(["m1", said("Elsewhere")]);
    expect(await inbox.dropMessages(thread, "s1")).toBe(2);
    expect(await inbox.dropMessages(thread, "s1")).toBe(2);
    for (const urgent of ["d1", "s1"]) {
      expect(idOf(await inbox.claimNext(thread, HOUR_MS))).toBe(urgent);
      await inbox.settle(thread, urgent, null);
    }
    expect(idOf(await inbox.claimNext(thread, HOUR_MS))).toBe("m3");
    expect(idOf(await inbox.claimNext(other, HOUR_MS))).toBe("m1");
  });

  it("ends the claim of whoever is at a dropped message, who notes what it became all the same", async () => {
    const thread = await threadWith(["m1", said("1")]);
    const claim = await inbox.claimNext(thread, HOUR_MS);
    await inbox.keep(thread, "s1", stop, null);
    await inbox.dropMessages(thread, "s1");
    expect(claim && (await inbox.renew(thread, claim, HOUR_MS))).toBe(false);
    expect(await inbox.settle(thread, "m1", "sevt_late")).toBe(false);
    const row = await database.prisma.chatInbound.findFirstOrThrow({
      where: { messageId: "m1", chatThreadKey: thread },
    });
    expect(row.eventId).toBe("sevt_late");
  });

  it("of a message that is being claimed leaves it either dropped or claimed before the drop", async () => {
    for (let round = 0; round < 20; round++) {
      const thread = await threadWith(["m1", said("1")]);
      await inbox.keep(thread, "s1", stop, null);
      await inbox.settle(thread, "s1", null);
      const [claim] = await Promise.all([inbox.claimNext(thread, HOUR_MS), inbox.dropMessages(thread, "s1")]);
      expect(await inbox.awaits(thread)).toBe(false);
      expect(claim && (await inbox.renew(thread, claim, HOUR_MS))).not.toBe(true);
    }
  });
});

describe("the sweep", () => {
  it("finds threads with something to claim, oldest first, of the surfaces it asks for", async () => {
    await database.prisma.chatInbound.deleteMany();
    const claimed = await threadWith(["m1", said("1")], ["m2", said("2")]);
    const waiting = await threadWith(["m1", said("1")]);
    const stopped = await threadWith(["m1", said("1")]);
    const settled = await threadWith(["m1", said("1")]);
    await inbox.claimNext(claimed, HOUR_MS);
    await inbox.claimNext(stopped, HOUR_MS);
    await inbox.keep(stopped, "s1", stop, null);
    await inbox.settle(settled, "m1", null);
    expect(await inbox.unsettled(["slack"], 10)).toEqual([waiting, stopped]);
    expect(await inbox.unsettled(["slack"], 1)).toEqual([waiting]);
    expect(await inbox.unsettled(["teams"], 10)).toEqual([]);
  });

  it("forgets old receipts and what became nothing, and neither what is waiting nor what became an event", async () => {
    const thread = newThread();
    for (const id of ["ignored", "sent", "waiting"]) await inbox.keep(thread, id, said(id), `r-${id}`);
    await inbox.settle(thread, "ignored", null);
    await inbox.settle(thread, "sent", "sevt_1");
    await inbox.forget(HOUR_MS);
    expect(await inbox.keep(thread, "ignored", said("again"), null)).toBe(false);
    await inbox.forget(-1);
    const rows = await database.prisma.chatInbound.findMany({ where: { chatThreadKey: thread } });
    expect(rows.map((row) => row.messageId).toSorted()).toEqual(["sent", "waiting"]);
    expect(await database.prisma.chatReceipt.count()).toBe(0);
  });
});
