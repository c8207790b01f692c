import type { Database } from "../../src/database.ts";
import type { ChatStore, DeliveryStore, InboundStore, ThreadStore } from "./chat-store.ts";
import { chatThreadKey, parseChatThreadKey } from "./chat-thread.ts";

/** The chat core's memory in Postgres. Time is the database's, so that processes on several machines agree on it. */
export function createDatabaseChatStore({ prisma }: Pick<Database, "prisma">): ChatStore {
  return { threads: threadStore(prisma), deliveries: deliveryStore(prisma), inbound: inboundStore(prisma) };
}

type Prisma = Database["prisma"];

function threadStore(prisma: Prisma): ThreadStore {
  return {
    async open(key) {
      await prisma.$executeRaw`
        INSERT INTO chat_threads (key, surface) VALUES (${key}, ${parseChatThreadKey(key).surface}) ON CONFLICT DO NOTHING`;
      const row = await prisma.chatThread.findUniqueOrThrow({ where: { key } });
      const { cursorId, cursorAt } = row;
      return {
        sessionId: row.sessionId,
        generation: row.generation,
        cursor: cursorId !== null && cursorAt !== null ? { eventId: cursorId, at: cursorAt } : null,
        wakes: row.wakes,
        busy: row.wakes > row.deliveredWake,
      };
    },

    async reserveSession(key, owner, ttlMs) {
      const rows = await prisma.$queryRaw<{ generation: number; before: Date | null }[]>`
        UPDATE chat_threads AS t SET
          creator = ${owner},
          creator_until = now() + ${ttlMs} * interval '1 ms',
          tried_since = COALESCE(t.tried_since, now())
        FROM (SELECT tried_since FROM chat_threads WHERE key = ${key} FOR UPDATE) AS old
        WHERE t.key = ${key} AND t.session_id IS NULL AND (t.creator_until IS NULL OR t.creator_until < now())
        RETURNING t.generation, old.tried_since AS before`;
      const row = rows[0];
      return row ? { generation: row.generation, triedSince: row.before } : null;
    },

    async bindSession(key, owner, sessionId) {
      const { count } = await prisma.chatThread.updateMany({
        where: { key, creator: owner, sessionId: null },
        data: { sessionId, creator: null, creatorUntil: null, triedSince: null },
      });
      return count === 1;
    },

    async cancelReservation(key, owner) {
      await prisma.chatThread.updateMany({
        where: { key, creator: owner },
        data: { creator: null, creatorUntil: null },
      });
    },

    async detachSession(key, sessionId) {
      await prisma.chatThread.updateMany({
        where: { key, sessionId },
        data: {
          sessionId: null,
          cursorId: null,
          cursorAt: null,
          generation: { increment: 1 },
          requester: null,
          title: null,
          state: null,
          seenMessageId: null,
          severalPeople: false,
        },
      });
    },
  };
}

function deliveryStore(prisma: Prisma): DeliveryStore {
  return {
    async wake(key) {
      const count = await prisma.$executeRaw`
        UPDATE chat_threads SET
          wakes = wakes + 1,
          lease_until = CASE WHEN lease_owner IS NOT NULL THEN lease_until END
        WHERE key = ${key}`;
      if (count === 0) throw new Error(`There is no record of ${key} to wake: open it first.`);
    },

    async lease(key, owner, ttlMs) {
      const count = await prisma.$executeRaw`
        UPDATE chat_threads SET lease_owner = ${owner}, lease_until = now() + ${ttlMs} * interval '1 ms'
        WHERE key = ${key} AND (lease_owner IS NULL OR lease_owner = ${owner} OR lease_until < now())`;
      return count === 1;
    },

    async release(key, owner, wakes) {
      const { count } = await prisma.chatThread.updateMany({
        where: { key, leaseOwner: owner, ...(wakes !== null && { wakes }) },
        data: { leaseOwner: null, leaseUntil: null, ...(wakes !== null && { deliveredWake: wakes }) },
      });
      return count === 1;
    },

    async postpone(key, delayMs) {
      await prisma.$executeRaw`
        UPDATE chat_threads SET lease_until = now() + ${delayMs} * interval '1 ms'
        WHERE key = ${key} AND lease_owner IS NULL`;
    },

    async moveCursor(key, sessionId, cursor) {
      const { count } = await prisma.chatThread.updateMany({
        where: { key, sessionId },
        data: { cursorId: cursor.eventId, cursorAt: cursor.at },
      });
      return count === 1;
    },

    async intend(key, item, fileIds = []) {
      const { count } = await prisma.chatDelivery.createMany({
        data: [{ chatThreadKey: key, item, fileIds }],
        skipDuplicates: true,
      });
      if (count === 1) return { ref: null, fresh: true };
      const where = { chatThreadKey_item: { chatThreadKey: key, item } };
      const row = await prisma.chatDelivery.findUniqueOrThrow({ where });
      return { ref: row.ref, fresh: false };
    },

    async settle(key, item, ref) {
      const where = { chatThreadKey_item: { chatThreadKey: key, item } };
      await prisma.chatDelivery.update({ where, data: { ref, postedAt: new Date() } });
    },

    async files(key) {
      const rows = await prisma.chatDelivery.findMany({
        where: { chatThreadKey: key, fileIds: { isEmpty: false } },
        select: { item: true, fileIds: true },
      });
      return new Map(rows.flatMap((row) => row.fileIds.map((id): [string, string] => [id, row.item])));
    },

    async undelivered(surfaces, limit) {
      const rows = await prisma.$queryRaw<{ key: string }[]>`
        SELECT key FROM chat_threads
        WHERE surface = ANY(${surfaces}) AND wakes > delivered_wake AND (lease_until IS NULL OR lease_until < now())
        ORDER BY lease_until NULLS FIRST LIMIT ${limit}`;
      return rows.map((row) => chatThreadKey(parseChatThreadKey(row.key)));
    },
  };
}

function inboundStore(prisma: Prisma): InboundStore {
  return {
    async claim(key, messageId, staleMs) {
      const rows = await prisma.$queryRaw<{ fresh: boolean }[]>`
        INSERT INTO chat_inbound AS i (chat_thread_key, message_id, claimed_at) VALUES (${key}, ${messageId}, now())
        ON CONFLICT (chat_thread_key, message_id) DO UPDATE SET claimed_at = now()
          WHERE i.settled_at IS NULL AND i.claimed_at <= now() - ${staleMs} * interval '1 ms'
        RETURNING xmax = 0 AS fresh`;
      const row = rows[0];
      if (!row) return "duplicate";
      return row.fresh ? "new" : "unfinished";
    },

    async settle(key, messageId, eventId) {
      const where = { chatThreadKey_messageId: { chatThreadKey: key, messageId } };
      await prisma.chatInbound.update({ where, data: { settledAt: new Date(), eventId } });
    },

    async knownEvents(key, eventIds) {
      const rows = await prisma.chatInbound.findMany({
        where: { chatThreadKey: key, eventId: { in: eventIds } },
        select: { eventId: true },
      });
      return new Set(rows.flatMap((row) => row.eventId ?? []));
    },

    async abandon(key, messageId) {
      await prisma.chatInbound.updateMany({
        where: { chatThreadKey: key, messageId, settledAt: null },
        data: { claimedAt: new Date(0) },
      });
    },
  };
}
