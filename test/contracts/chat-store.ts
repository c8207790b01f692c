import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { ChatStore } from "../../bots/shared/chat-store.ts";
import type { ChatThreadKey } from "../../bots/shared/chat-thread.ts";

export interface OpenedStore {
  store: ChatStore;
  close(): Promise<void>;
}

const HOUR_MS = 3_600_000;
let threads = 0;
const newThread = (): ChatThreadKey => `terminal:contract-${++threads}`;

/** What every driver of the chat core's memory promises. */
export function chatStoreContract(name: string, open: () => Promise<OpenedStore>): void {
  describe(`chat store contract: ${name}`, () => {
    let opened: OpenedStore;
    let store: ChatStore;
    beforeAll(async () => {
      opened = await open();
      store = opened.store;
    });
    afterAll(() => opened.close());

    it("makes an empty record for a thread that is new", async () => {
      expect(await store.threads.open(newThread())).toEqual({
        sessionId: null,
        generation: 0,
        cursor: null,
        wakes: 0,
        busy: false,
      });
    });

    it("gives the right to create a session to one of many who ask at once", async () => {
      const key = newThread();
      await store.threads.open(key);
      const asked = ["a", "b", "c", "d", "e"].map((owner) => store.threads.reserveSession(key, owner, HOUR_MS));
      expect((await Promise.all(asked)).filter((reservation) => reservation !== null)).toHaveLength(1);
    });

    it("lets only the holder of the reservation bind a session, and nobody reserve one afterwards", async () => {
      const key = newThread();
      await store.threads.open(key);
      await store.threads.reserveSession(key, "a", HOUR_MS);
      expect(await store.threads.bindSession(key, "b", `sesn_b_${key}`)).toBe(false);
      expect(await store.threads.bindSession(key, "a", `sesn_a_${key}`)).toBe(true);
      expect((await store.threads.open(key)).sessionId).toBe(`sesn_a_${key}`);
      expect(await store.threads.reserveSession(key, "b", HOUR_MS)).toBeNull();
    });

    it("passes a lapsed reservation on, with the time since when it was tried", async () => {
      const key = newThread();
      await store.threads.open(key);
      expect(await store.threads.reserveSession(key, "a", -1)).toEqual({ generation: 0, triedSince: null });
      const second = await store.threads.reserveSession(key, "b", HOUR_MS);
      expect(second?.triedSince).toBeInstanceOf(Date);
      expect(await store.threads.bindSession(key, "a", `sesn_${key}`)).toBe(false);
    });

    it("frees a cancelled reservation at once, and remembers that it was tried", async () => {
      const key = newThread();
      await store.threads.open(key);
      await store.threads.reserveSession(key, "a", HOUR_MS);
      await store.threads.cancelReservation(key, "b");
      expect(await store.threads.reserveSession(key, "b", HOUR_MS)).toBeNull();
      await store.threads.cancelReservation(key, "a");
      expect((await store.threads.reserveSession(key, "b", HOUR_MS))?.triedSince).toBeInstanceOf(Date);
    });

    it("leaves a session behind with its cursor, and only that session", async () => {
      const key = newThread();
      await bound(store, key, `sesn_1_${key}`);
      await store.deliveries.moveCursor(key, `sesn_1_${key}`, { eventId: "sevt_1", at: "2026-11-22T00:00:00.000Z" });
      await store.threads.detachSession(key, "sesn_of_another_time");
      expect((await store.threads.open(key)).sessionId).toBe(`sesn_1_${key}`);
      await store.threads.detachSession(key, `sesn_1_${key}`);
      expect(await store.threads.open(key)).toMatchObject({ sessionId: null, cursor: null, generation: 1 });
      expect(await store.threads.reserveSession(key, "a", HOUR_MS)).toEqual({ generation: 1, triedSince: null });
    });

    it("moves the cursor of the session the thread has, and of no other", async () => {
      const key = newThread();
      const cursor = { eventId: "sevt_9", at: "2026-11-22T00:00:00.000Z" };
      await bound(store, key, `sesn_${key}`);
      expect(await store.deliveries.moveCursor(key, "sesn_left_behind", cursor)).toBe(false);
      expect(await store.deliveries.moveCursor(key, `sesn_${key}`, cursor)).toBe(true);
      expect((await store.threads.open(key)).cursor).toEqual(cursor);
    });

    it("leases a thread to one deliverer, who may renew, until it lapses or is given back", async () => {
      const key = newThread();
      await store.threads.open(key);
      expect(await store.deliveries.lease(key, "a", HOUR_MS)).toBe(true);
      expect(await store.deliveries.lease(key, "b", HOUR_MS)).toBe(false);
      expect(await store.deliveries.lease(key, "a", -1)).toBe(true);
      expect(await store.deliveries.lease(key, "b", HOUR_MS)).toBe(true);
      expect(await store.deliveries.release(key, "a", null)).toBe(false);
      expect(await store.deliveries.release(key, "b", null)).toBe(true);
      expect(await store.deliveries.lease(key, "a", HOUR_MS)).toBe(true);
    });

    it("does not let a deliverer go that has not seen the latest wake", async () => {
      const key = newThread();
      await store.threads.open(key);
      await store.deliveries.lease(key, "a", HOUR_MS);
      const { wakes } = await store.threads.open(key);
      await store.deliveries.wake(key);
      expect(await store.deliveries.release(key, "a", wakes)).toBe(false);
      expect(await store.deliveries.lease(key, "b", HOUR_MS)).toBe(false);
      expect(await store.deliveries.release(key, "a", wakes + 1)).toBe(true);
    });

    it("lists a thread as undelivered from the wake until the release that has seen it, unless somebody is at it", async () => {
      const key = newThread();
      await store.threads.open(key);
      const listed = async () => (await store.deliveries.undelivered(["terminal"], 1000)).includes(key);
      expect(await listed()).toBe(false);
      await store.deliveries.wake(key);
      expect(await listed()).toBe(true);
      expect(await store.deliveries.undelivered(["slack", "teams"], 1000)).toEqual([]);
      expect((await store.threads.open(key)).busy).toBe(true);
      await store.deliveries.lease(key, "a", HOUR_MS);
      expect(await listed()).toBe(false);
      await store.deliveries.release(key, "a", null);
      expect(await listed()).toBe(true);
      await store.deliveries.lease(key, "a", HOUR_MS);
      await store.deliveries.release(key, "a", 1);
      expect(await listed()).toBe(false);
      expect((await store.threads.open(key)).busy).toBe(false);
    });

    it("keeps a postponed thread off the list until it is due or woken again, and from nobody who wants to deliver it", async () => {
      const key = newThread();
      await store.threads.open(key);
      const listed = async () => (await store.deliveries.undelivered(["terminal"], 1000)).includes(key);
      await store.deliveries.wake(key);
      await store.deliveries.postpone(key, HOUR_MS);
      expect(await listed()).toBe(false);
      await store.deliveries.wake(key);
      expect(await listed()).toBe(true);
      await store.deliveries.postpone(key, HOUR_MS);
      await store.deliveries.postpone(key, -1);
      expect(await listed()).toBe(true);
      await store.deliveries.postpone(key, HOUR_MS);
      expect(await store.deliveries.lease(key, "a", HOUR_MS)).toBe(true);
      await store.deliveries.postpone(key, -1);
      await store.deliveries.wake(key);
      expect(await listed()).toBe(false);
      expect(await store.deliveries.lease(key, "b", HOUR_MS)).toBe(false);
    });

    it("tells the first intent from a repeated one, and a posted item from one that may not be", async () => {
      const key = newThread();
      await store.threads.open(key);
      expect(await store.deliveries.intend(key, "answer:1")).toEqual({ ref: null, fresh: true });
      expect(await store.deliveries.intend(key, "answer:1")).toEqual({ ref: null, fresh: false });
      await store.deliveries.settle(key, "answer:1", "ref-1");
      expect(await store.deliveries.intend(key, "answer:1")).toEqual({ ref: "ref-1", fresh: false });
    });

    it("keeps the files of an item as they were first intended", async () => {
      const key = newThread();
      await store.threads.open(key);
      await store.deliveries.intend(key, "files:1", ["file_a", "file_b"]);
      await store.deliveries.intend(key, "files:1", ["file_c"]);
      await store.deliveries.intend(key, "answer:1");
      expect(await store.deliveries.files(key)).toEqual(
        new Map([
          ["file_a", "files:1"],
          ["file_b", "files:1"],
        ]),
      );
    });

    it("lets one of many deliveries of the same message in", async () => {
      const key = newThread();
      await store.threads.open(key);
      const claims = await Promise.all(Array.from({ length: 5 }, () => store.inbound.claim(key, "m1", HOUR_MS)));
      expect(claims.toSorted()).toEqual(["duplicate", "duplicate", "duplicate", "duplicate", "new"]);
    });

    it("hands an attempt on when it is stale or abandoned, and never once it is settled", async () => {
      const key = newThread();
      await store.threads.open(key);
      await store.inbound.claim(key, "m1", HOUR_MS);
      expect(await store.inbound.claim(key, "m1", 0)).toBe("unfinished");
      expect(await store.inbound.claim(key, "m1", HOUR_MS)).toBe("duplicate");
      await store.inbound.abandon(key, "m1");
      expect(await store.inbound.claim(key, "m1", HOUR_MS)).toBe("unfinished");
      await store.inbound.settle(key, "m1", "sevt_1");
      await store.inbound.abandon(key, "m1");
      expect(await store.inbound.claim(key, "m1", 0)).toBe("duplicate");
    });

    it("knows which events its messages became", async () => {
      const key = newThread();
      await store.threads.open(key);
      await store.inbound.claim(key, "m1", HOUR_MS);
      await store.inbound.settle(key, "m1", "sevt_1");
      await store.inbound.claim(key, "m2", HOUR_MS);
      await store.inbound.settle(key, "m2", null);
      expect(await store.inbound.knownEvents(key, ["sevt_1", "sevt_2"])).toEqual(new Set(["sevt_1"]));
    });
  });
}

async function bound(store: ChatStore, key: ChatThreadKey, sessionId: string): Promise<void> {
  await store.threads.open(key);
  await store.threads.reserveSession(key, "owner", HOUR_MS);
  await store.threads.bindSession(key, "owner", sessionId);
}
