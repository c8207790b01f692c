import type pg from "pg";
import { invalid, LeaseLostError, notFound } from "../errors.ts";
import { answersCall, type EventParams, type EventPreview, QueuedEvent, SessionEvent } from "../schemas/event.ts";
import { appendStatement } from "./append-statement.ts";
import { assertAwaited } from "./awaited-calls.ts";
import { inTransaction } from "./in-transaction.ts";
import { toJsonb } from "./jsonb.ts";
import { queuedEvent } from "./queued-event.ts";
import type { SessionState } from "./transition.ts";
import type { Wakeups } from "./wakeups.ts";

/** A committed event with its place in the log, and what only the harness may see of it. */
export interface LoggedEvent {
  seq: number;
  event: SessionEvent;
  private: unknown;
}

/** An event about to be committed. */
export interface NewEvent {
  event: SessionEvent;
  /** JSON; kept beside the event and never shown. */
  private?: unknown;
}

/** The right to write, as `lease.ts` grants it. */
export interface Fence {
  sessionId: string;
  epoch: number;
}

export interface Append {
  fence: Fence;
  events: NewEvent[];
  /** The session's state after these events; null where they leave it as it was. A release always has one. */
  state: SessionState | null;
  /** Ids of queued events that these events take up: they leave the inbox in the same statement. */
  taken?: string[];
  /**
   * Gives the lease back with this append: for work that comes (`idle`), which then happens only if the inbox holds
   * nothing afterwards but the `held` events that wait until clients have answered open calls, or until the given time (`wakeAt`).
   */
  release?: { idle: true; held?: number } | { wakeAt: Date };
}

export interface Appended {
  /** Of the first event of this append. */
  firstSeq: number;
  /** Events that wait in the inbox now. */
  queuedCount: number;
}

/**
 * The append-only log of every session, and the inbox in front of it.
 *
 * A client's event waits in the inbox, without a `seq`, until a harness takes it up: only then is it processed, gets its
 * place in the log and is shown by streams. So the log never changes, and its order is the order of processing.
 */
export interface EventLog {
  /**
   * Puts events into the inbox, all or nothing, in order, and wakes whoever follows the session.
   * @throws AppError `not_found`, also for another workspace's session; `invalid_request` for an archived one, and for
   *   the confirmation or the result of a tool call that does not wait for it
   */
  enqueue(workspaceId: string, sessionId: string, events: EventParams[]): Promise<QueuedEvent[]>;
  /** The inbox in order of arrival. */
  inbox(sessionId: string): Promise<QueuedEvent[]>;
  /**
   * Commits events, then wakes whoever follows the session. Repeating an append whose answer was lost fails on the ids
   * of its events, so nothing is written twice.
   * @returns null, with nothing written, when `release.idle` was asked for and the inbox holds more than it may
   * @throws LeaseLostError when the fence no longer holds
   */
  append(request: Append): Promise<Appended | null>;
  /** Committed events after `afterSeq`, in order, at most `limit`. */
  read(sessionId: string, afterSeq: number, limit: number): Promise<LoggedEvent[]>;
  /** `seq` of the last committed event; null when there is no such session. */
  lastSeq(sessionId: string): Promise<number | null>;
  /** `seq` of the last event of a type, 0 when there is none. */
  lastSeqOf(sessionId: string, type: SessionEvent["type"]): Promise<number>;
  /** Shows a preview to streams that asked for it. Never stored, never waits. `frame` numbers an event's previews from 0. */
  preview(sessionId: string, preview: EventPreview, frame: number): void;
}

const ENQUEUE = `
WITH session AS (
  UPDATE sessions SET queued_count = queued_count + $3, updated_at = now()
  WHERE id = $1 AND workspace_id = $2 AND archived_at IS NULL AND status <> 'terminated'
  RETURNING id
)
INSERT INTO queued_events (id, session_id, type, payload)
SELECT e.id, session.id, e.type, e.payload
FROM session, unnest($4::text[], $5::text[], $6::jsonb[]) WITH ORDINALITY AS e(id, type, payload, n)
ORDER BY e.n`;

export function createEventLog(pool: pg.Pool, wakeups: Wakeups): EventLog {
  return {
    async enqueue(workspaceId, sessionId, params) {
      const events = params.map(queuedEvent);
      const insert = async (client: Pick<pg.ClientBase, "query">) => {
        const { rowCount } = await client.query({
          name: "enqueue",
          text: ENQUEUE,
          values: [
            sessionId,
            workspaceId,
            events.length,
            events.map((event) => event.id),
            events.map((event) => event.type),
            events.map((event) => toJsonb(event)),
          ],
        });
        if (rowCount !== events.length) throw await whyNotEnqueued(client, workspaceId, sessionId);
      };
      if (events.some(answersCall)) {
        await inTransaction(pool, async (client) => {
          await insert(client);
          await assertAwaited(client, sessionId, events);
        });
      } else await insert(pool);
      wakeups.publish({ sessionId, inbox: true });
      return events;
    },

    async inbox(sessionId) {
      const { rows } = await pool.query<{ payload: unknown }>({
        name: "inbox",
        text: "SELECT payload FROM queued_events WHERE session_id = $1 ORDER BY arrival",
        values: [sessionId],
      });
      return rows.map((row) => QueuedEvent.parse(row.payload));
    },

    async append(request) {
      const { sessionId, epoch } = request.fence;
      const { rows } = await pool.query<{ base: number; queued_count: number }>(appendStatement(request));
      const row = rows[0];
      if (!row) {
        if (await holds(pool, request.fence)) return null;
        throw new LeaseLostError(`${sessionId} (epoch ${epoch})`);
      }
      wakeups.publish({ sessionId });
      return { firstSeq: row.base + 1, queuedCount: row.queued_count };
    },

    async read(sessionId, afterSeq, limit) {
      const { rows } = await pool.query<{ seq: number; payload: unknown; private: unknown }>({
        name: "read",
        text: "SELECT seq, payload, private FROM events WHERE session_id = $1 AND seq > $2 ORDER BY seq LIMIT $3",
        values: [sessionId, afterSeq, limit],
      });
      return rows.map((row) => ({ seq: row.seq, event: SessionEvent.parse(row.payload), private: row.private }));
    },

    async lastSeq(sessionId) {
      const { rows } = await pool.query<{ last_seq: number }>({
        name: "last_seq",
        text: "SELECT last_seq FROM sessions WHERE id = $1",
        values: [sessionId],
      });
      return rows[0]?.last_seq ?? null;
    },

    async lastSeqOf(sessionId, type) {
      const { rows } = await pool.query<{ seq: number }>({
        name: "last_seq_of",
        text: "SELECT seq FROM events WHERE session_id = $1 AND type = $2 ORDER BY seq DESC LIMIT 1",
        values: [sessionId, type],
      });
      return rows[0]?.seq ?? 0;
    },

    preview: (sessionId, preview, frame) => wakeups.publish({ sessionId, preview, frame }),
  };
}

async function holds(pool: pg.Pool, { sessionId, epoch }: Fence): Promise<boolean> {
  const { rowCount } = await pool.query("SELECT FROM sessions WHERE id = $1 AND lease_epoch = $2", [sessionId, epoch]);
  return rowCount === 1;
}

async function whyNotEnqueued(client: Pick<pg.ClientBase, "query">, workspaceId: string, sessionId: string) {
  const { rowCount } = await client.query("SELECT FROM sessions WHERE id = $1 AND workspace_id = $2", [
    sessionId,
    workspaceId,
  ]);
  if (rowCount === 0) return notFound("Session", sessionId);
  return invalid(`Session \`${sessionId}\` is archived or terminated and takes no more events.`);
}
