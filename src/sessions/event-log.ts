import type pg from "pg";
import { invalid, LeaseLostError, notFound } from "../errors.ts";
import { newId } from "../ids.ts";
import { type EventParams, type EventPreview, QueuedEvent, SessionEvent } from "../schemas/event.ts";
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
  /** The session's state after these events. */
  state: SessionState;
  /** Ids of queued events that these events take up: they leave the inbox in the same statement. */
  taken?: string[];
  /**
   * Gives the lease back with this append, which then happens only if the inbox is empty afterwards (`idle`), or not
   * before the given time again (`rescheduled`).
   */
  release?: { idle: true } | { wakeAt: Date };
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
   * @throws AppError `not_found`, also for another workspace's session; `invalid_request` for an archived one
   */
  enqueue(workspaceId: string, sessionId: string, events: EventParams[]): Promise<QueuedEvent[]>;
  /** The inbox in order of arrival. */
  inbox(sessionId: string): Promise<QueuedEvent[]>;
  /**
   * Commits events, then wakes whoever follows the session. Repeating an append whose answer was lost fails on the ids
   * of its events, so nothing is written twice.
   * @returns null, with nothing written, when `release.idle` was asked for and the inbox is not empty
   * @throws LeaseLostError when the fence no longer holds
   */
  append(request: Append): Promise<Appended | null>;
  /** Committed events after `afterSeq`, in order, at most `limit`. */
  read(sessionId: string, afterSeq: number, limit: number): Promise<LoggedEvent[]>;
  /** `seq` of the last committed event; null when there is no such session. */
  lastSeq(sessionId: string): Promise<number | null>;
  /** `seq` of the last event of a type, 0 when there is none. */
  lastSeqOf(sessionId: string, type: SessionEvent["type"]): Promise<number>;
  /** Shows a preview to streams that asked for it. Never stored, never waits. */
  preview(sessionId: string, preview: EventPreview): void;
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

/**
 * One statement, so that the fence, the seq, the rows, the inbox and the derived state change together or not at all.
 * The conditions stand on the session's own row: when a concurrent commit is waited for, Postgres checks them again on
 * the new version of that row, which it would not do for another table.
 */
const APPEND = `
WITH session AS (
  UPDATE sessions SET
    last_seq = last_seq + $3,
    queued_count = queued_count - cardinality($4::text[]),
    status = $5, usage = $6, active_ms = $7, running_since = $8,
    lease_expires_at = CASE WHEN $9 THEN NULL ELSE lease_expires_at END,
    lease_owner = CASE WHEN $9 THEN NULL ELSE lease_owner END,
    wake_at = $10,
    updated_at = now()
  WHERE id = $1 AND lease_epoch = $2 AND (NOT $11 OR queued_count = cardinality($4::text[]))
  RETURNING last_seq - $3 AS base, queued_count, thread_id
), taken AS (
  DELETE FROM queued_events WHERE session_id = $1 AND id = ANY($4) AND EXISTS (SELECT FROM session)
), written AS (
  INSERT INTO events (session_id, seq, id, thread_id, type, payload, private, processed_at)
  SELECT $1, session.base + e.n, e.id, session.thread_id, e.type, e.payload, e.private, e.processed_at
  FROM session, unnest($12::text[], $13::text[], $14::jsonb[], $15::jsonb[], $16::timestamptz[])
    WITH ORDINALITY AS e(id, type, payload, private, processed_at, n)
)
SELECT base, queued_count FROM session`;

export function createEventLog(pool: pg.Pool, wakeups: Wakeups): EventLog {
  return {
    async enqueue(workspaceId, sessionId, params) {
      const events = params.map((event) => QueuedEvent.parse({ id: newId("sevt"), processed_at: null, ...event }));
      const { rowCount } = await pool.query({
        name: "enqueue",
        text: ENQUEUE,
        values: [
          sessionId,
          workspaceId,
          events.length,
          events.map((event) => event.id),
          events.map((event) => event.type),
          events.map((event) => JSON.stringify(event)),
        ],
      });
      if (rowCount !== events.length) throw await whyNotEnqueued(pool, workspaceId, sessionId);
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
      const { rows } = await pool.query<{ base: number; queued_count: number }>({
        name: "append",
        text: APPEND,
        values: appendValues(request),
      });
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

    preview: (sessionId, preview) => wakeups.publish({ sessionId, preview }),
  };
}

function appendValues({ fence, events, state, taken = [], release }: Append): unknown[] {
  return [
    fence.sessionId,
    fence.epoch,
    events.length,
    taken,
    state.status,
    JSON.stringify(state.usage),
    Math.round(state.activeMs),
    state.runningSince,
    release !== undefined,
    release && "wakeAt" in release ? release.wakeAt : null,
    release !== undefined && "idle" in release,
    events.map(({ event }) => event.id),
    events.map(({ event }) => event.type),
    events.map(({ event }) => JSON.stringify(event)),
    events.map((entry) => (entry.private === undefined ? null : JSON.stringify(entry.private))),
    events.map(({ event }) => event.processed_at),
  ];
}

async function holds(pool: pg.Pool, { sessionId, epoch }: Fence): Promise<boolean> {
  const { rowCount } = await pool.query("SELECT FROM sessions WHERE id = $1 AND lease_epoch = $2", [sessionId, epoch]);
  return rowCount === 1;
}

async function whyNotEnqueued(pool: pg.Pool, workspaceId: string, sessionId: string) {
  const { rowCount } = await pool.query("SELECT FROM sessions WHERE id = $1 AND workspace_id = $2", [
    sessionId,
    workspaceId,
  ]);
  if (rowCount === 0) return notFound("Session", sessionId);
  return invalid(`Session \`${sessionId}\` is archived or terminated and takes no more events.`);
}
