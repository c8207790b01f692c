import type { Database } from "../../src/database.ts";
import type { Inbox } from "./chat-records.ts";
import { chatThreadKey, parseChatThreadKey } from "./chat-thread.ts";
import { InboundItem } from "./inbound-item.ts";

interface ClaimedRow {
  message_id: string;
  payload: unknown;
  attempts: number;
  waited_ms: number;
}

/** Sets the locks that order claims apart from other advisory locks. */
const CLAIM_LOCK_SEED = 20_261_122;

/** Shares its rows with `InboundStore`, whose own, of surfaces that keep messages themselves, have no payload. */
export function createInboxStore(prisma: Database["prisma"]): Inbox {
  return {
    async keep(thread, messageId, item, receiptId) {
      const count = await prisma.$executeRaw`
        WITH receipt AS (
          INSERT INTO chat_receipts (id) SELECT ${receiptId}::text WHERE ${receiptId}::text IS NOT NULL
          ON CONFLICT DO NOTHING RETURNING id
        )
        INSERT INTO chat_inbound (chat_thread_key, message_id, payload)
        SELECT ${thread}, ${messageId}, ${JSON.stringify(item)}::jsonb
        WHERE ${receiptId}::text IS NULL OR EXISTS (SELECT FROM receipt)
        ON CONFLICT DO NOTHING`;
      return count === 1;
    },

    async knows(thread) {
      const row = await prisma.chatInbound.findFirst({
        where: { chatThreadKey: thread },
        select: { messageId: true },
      });
      return row !== null;
    },

    async claimNext(thread, ttlMs) {
      // Under a lock, so that of two claimers the second sees what the first has claimed.
      const [, rows] = await prisma.$transaction([
        prisma.$executeRaw`SELECT pg_advisory_xact_lock(hashtextextended(${thread}, ${CLAIM_LOCK_SEED}::bigint))`,
        prisma.$queryRaw<ClaimedRow[]>`
          WITH pending AS (
            SELECT message_id, arrival, payload->>'type' <> 'message' AS urgent,
              COALESCE(claimed_until > clock_timestamp(), false) AS held
            FROM chat_inbound WHERE chat_thread_key = ${thread} AND settled_at IS NULL AND payload IS NOT NULL
          ), next AS (
            SELECT message_id FROM pending AS p
            WHERE NOT EXISTS (SELECT FROM pending AS o WHERE o.urgent = p.urgent AND o.held)
              AND (p.urgent OR NOT EXISTS (SELECT FROM pending AS o WHERE o.urgent))
            ORDER BY arrival LIMIT 1
          )
          UPDATE chat_inbound AS i SET
            claimed_at = clock_timestamp(),
            claimed_until = clock_timestamp() + ${ttlMs} * interval '1 ms',
            attempts = i.attempts + 1
          FROM next WHERE i.chat_thread_key = ${thread} AND i.message_id = next.message_id AND i.settled_at IS NULL
          RETURNING i.message_id, i.payload, i.attempts,
            (extract(epoch FROM clock_timestamp() - i.received_at) * 1000)::float8 AS waited_ms`,
      ]);
      const row = rows[0];
      if (!row) return null;
      return {
        messageId: row.message_id,
        item: InboundItem.parse(row.payload),
        attempts: row.attempts - 1,
        waitedMs: row.waited_ms,
      };
    },

    async renew(thread, { messageId, attempts }, ttlMs) {
      const count = await prisma.$executeRaw`
        UPDATE chat_inbound SET claimed_until = now() + ${ttlMs} * interval '1 ms'
        WHERE chat_thread_key = ${thread} AND message_id = ${messageId} AND settled_at IS NULL
          AND attempts = ${attempts + 1}`;
      return count === 1;
    },

    async settle(thread, messageId, eventId) {
      const rows = await prisma.$queryRaw<{ counts: boolean }[]>`
        UPDATE chat_inbound AS i SET
          settled_at = COALESCE(i.settled_at, now()),
          event_id = COALESCE(i.event_id, ${eventId}::text),
          payload = NULL
        FROM (
          SELECT settled_at, event_id FROM chat_inbound
          WHERE chat_thread_key = ${thread} AND message_id = ${messageId} FOR UPDATE
        ) AS old
        WHERE i.chat_thread_key = ${thread} AND i.message_id = ${messageId}
        RETURNING old.settled_at IS NULL OR old.event_id IS NOT NULL AS counts`;
      return rows[0]?.counts ?? false;
    },

    async postpone(thread, { messageId, attempts }, delayMs) {
      await prisma.$executeRaw`
        UPDATE chat_inbound SET claimed_until = now() + ${delayMs} * interval '1 ms'
        WHERE chat_thread_key = ${thread} AND message_id = ${messageId} AND settled_at IS NULL
          AND attempts = ${attempts + 1}`;
    },

    async dropMessages(thread, before) {
      const rows = await prisma.$queryRaw<{ message_id: string }[]>`
        WITH dropped AS (
          UPDATE chat_inbound SET settled_at = now(), payload = NULL
          WHERE chat_thread_key = ${thread} AND settled_at IS NULL AND payload->>'type' = 'message'
            AND arrival < (SELECT arrival FROM chat_inbound WHERE chat_thread_key = ${thread} AND message_id = ${before})
          RETURNING message_id, arrival
        )
        SELECT message_id FROM dropped ORDER BY arrival`;
      return rows.map((row) => row.message_id);
    },

    async unsettled(surfaces, limit) {
      const rows = await prisma.$queryRaw<{ key: string }[]>`
        SELECT key FROM (
          SELECT chat_thread_key AS key, min(arrival) AS oldest, bool_or(claimed_until > now()) AS held
          FROM chat_inbound
          WHERE settled_at IS NULL AND payload IS NOT NULL AND split_part(chat_thread_key, ':', 1) = ANY(${surfaces})
          GROUP BY chat_thread_key, payload->>'type' <> 'message'
        ) AS waiting
        WHERE held IS NOT TRUE GROUP BY key ORDER BY min(oldest) LIMIT ${limit}`;
      return rows.map((row) => chatThreadKey(parseChatThreadKey(row.key)));
    },

    async forget(olderThanMs) {
      await prisma.$transaction([
        prisma.$executeRaw`DELETE FROM chat_receipts WHERE received_at < now() - ${olderThanMs} * interval '1 ms'`,
        prisma.$executeRaw`
          DELETE FROM chat_inbound WHERE settled_at < now() - ${olderThanMs} * interval '1 ms' AND event_id IS NULL`,
      ]);
    },
  };
}
