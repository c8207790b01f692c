import type { Database } from "../../src/database.ts";
import { type Inbox, UnreadableItemError } from "./chat-records.ts";
import { chatThreadKey, parseChatThreadKey } from "./chat-thread.ts";
import { InboundItem } from "./inbound-item.ts";

interface ClaimedRow {
  message_id: string;
  payload: unknown;
  attempts: number;
  waited_ms: number;
}

/** A surface that delivers a message twice, once with its files, does so within this time. */
const FILES_AWAITED_MS = 5_000;
/** A decision or stop that failed this often may go on failing for a day, and people should be heard meanwhile. */
const URGENT_FIRST_ATTEMPTS = 2;
/** Sets the locks that order claims apart from other advisory locks. */
const CLAIM_LOCK_SEED = 20_261_122;

/** Shares its rows with `InboundStore`, whose own, of surfaces that keep messages themselves, have no payload. */
export function createInboxStore(prisma: Database["prisma"]): Inbox {
  return {
    async keep(thread, messageId, item, receiptId) {
      const files = filesToFollow(messageId, item);
      const rows = await prisma.$queryRaw<unknown[]>`
        WITH receipt AS (
          INSERT INTO chat_receipts (id) SELECT ${receiptId}::text WHERE ${receiptId}::text IS NOT NULL
          ON CONFLICT DO NOTHING RETURNING id
        ), kept AS (
          INSERT INTO chat_inbound (chat_thread_key, message_id, payload)
          SELECT ${thread}, ${messageId}, ${JSON.stringify(item)}::jsonb
          WHERE ${receiptId}::text IS NULL OR EXISTS (SELECT FROM receipt)
          ON CONFLICT DO NOTHING RETURNING chat_thread_key
        ), files AS (
          INSERT INTO chat_inbound (chat_thread_key, message_id, payload, claimed_until)
          SELECT chat_thread_key, ${filesId(messageId)}, ${JSON.stringify(files)}::jsonb,
            now() + ${FILES_AWAITED_MS} * interval '1 ms'
          FROM kept WHERE ${files !== null}::boolean
        )
        SELECT 1 FROM kept`;
      return rows.length === 1;
    },

    async bringFiles(thread, messageId, attachments) {
      const count = await prisma.$executeRaw`
        UPDATE chat_inbound SET
          payload = CASE WHEN ${attachments.length > 0}::boolean
            THEN jsonb_set(payload, '{attachments}', ${JSON.stringify(attachments)}::jsonb) END,
          settled_at = CASE WHEN ${attachments.length === 0}::boolean THEN now() END,
          claimed_until = NULL
        WHERE chat_thread_key = ${thread} AND message_id = ${filesId(messageId)} AND settled_at IS NULL
          AND payload->'attachments' = 'null'::jsonb`;
      return count === 1 && attachments.length > 0;
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
            SELECT message_id, arrival, attempts, COALESCE(claimed_until > clock_timestamp(), false) AS held,
              CASE WHEN payload->>'type' IN ('message', 'files') THEN payload->>'type' ELSE 'urgent' END AS kind
            FROM chat_inbound WHERE chat_thread_key = ${thread} AND settled_at IS NULL AND payload IS NOT NULL
          ), next AS (
            SELECT message_id FROM pending AS p
            WHERE NOT EXISTS (SELECT FROM pending AS o WHERE o.kind = p.kind AND o.held)
              AND (p.kind = 'urgent' OR NOT EXISTS (
                SELECT FROM pending AS o WHERE o.kind = 'urgent' AND o.attempts <= ${URGENT_FIRST_ATTEMPTS}))
              AND (p.kind <> 'files'
                OR NOT EXISTS (SELECT FROM pending AS o WHERE o.kind = 'message' AND o.arrival < p.arrival))
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
      const item = InboundItem.safeParse(row.payload);
      if (!item.success) throw new UnreadableItemError(row.message_id, item.error);
      return { messageId: row.message_id, item: item.data, attempts: row.attempts - 1, waitedMs: row.waited_ms };
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

    async awaits(thread) {
      const rows = await prisma.$queryRaw<unknown[]>`
        SELECT 1 FROM chat_inbound
        WHERE chat_thread_key = ${thread} AND settled_at IS NULL AND payload->>'type' = 'message'
          AND (payload->>'addressed')::boolean LIMIT 1`;
      return rows.length === 1;
    },

    async dropMessages(thread, stopId) {
      const rows = await prisma.$queryRaw<{ dropped: number | null }[]>`
        WITH dropped AS (
          UPDATE chat_inbound SET settled_at = now(), payload = NULL
          WHERE chat_thread_key = ${thread} AND settled_at IS NULL AND payload->>'type' IN ('message', 'files')
            AND arrival < (SELECT arrival FROM chat_inbound WHERE chat_thread_key = ${thread} AND message_id = ${stopId})
          RETURNING message_id
        )
        UPDATE chat_inbound AS stop SET payload = jsonb_set(stop.payload, '{dropped}', to_jsonb(
          COALESCE((stop.payload->>'dropped')::int, 0)
            + (SELECT count(*) FROM dropped WHERE message_id NOT LIKE ${filesId("%")})::int
        ))
        WHERE stop.chat_thread_key = ${thread} AND stop.message_id = ${stopId}
        RETURNING (payload->>'dropped')::int AS dropped`;
      return rows[0]?.dropped ?? 0;
    },

    async unsettled(surfaces, limit) {
      const rows = await prisma.$queryRaw<{ key: string }[]>`
        SELECT key FROM (
          SELECT chat_thread_key AS key, min(arrival) AS oldest, bool_or(claimed_until > now()) AS held
          FROM chat_inbound
          WHERE settled_at IS NULL AND payload IS NOT NULL AND split_part(chat_thread_key, ':', 1) = ANY(${surfaces})
          GROUP BY chat_thread_key,
            CASE WHEN payload->>'type' IN ('message', 'files') THEN payload->>'type' ELSE 'urgent' END
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

/** The question for the files of a message that was kept without any; null where there is none. */
function filesToFollow(messageId: string, item: InboundItem): InboundItem | null {
  if (item.type !== "message" || item.filesMayFollow !== true) return null;
  return { type: "files", personId: item.personId, of: messageId, attachments: null };
}

/** Told apart from the ids of messages, which no surface begins like this. */
function filesId(messageId: string): string {
  return `files:${messageId}`;
}
