import type pg from "pg";
import type { SessionEvent } from "../schemas/event.ts";
import type { Wakeups } from "./wakeups.ts";

/**
 * Needs no lease: it raises the epoch, so a harness that is about to start can't write any more. A session with work to
 * do counts as running, though no harness has taken it up yet.
 */
const TERMINATE = `
WITH session AS (
  UPDATE sessions SET
    last_seq = last_seq + cardinality($3::text[]), status = 'terminated', archived_at = now(), updated_at = now(),
    lease_epoch = lease_epoch + 1, lease_owner = NULL, lease_expires_at = NULL, wake_at = NULL
  WHERE id = $1 AND workspace_id = $2 AND archived_at IS NULL AND status = 'idle' AND queued_count = 0
  RETURNING last_seq - cardinality($3::text[]) AS base, thread_id
)
INSERT INTO events (session_id, seq, id, thread_id, type, payload, processed_at)
SELECT $1, session.base + e.n, e.id, session.thread_id, e.type, e.payload, now()
FROM session, unnest($3::text[], $4::text[], $5::jsonb[]) WITH ORDINALITY AS e(id, type, payload, n)`;

/**
 * Archives an idle session: appends its last events, then takes no more.
 * @returns false, with nothing written, when the session is not idle, has work waiting, is archived already or is not there
 */
export async function terminateSession(
  pool: pg.Pool,
  wakeups: Wakeups,
  session: { workspaceId: string; sessionId: string },
  lastEvents: SessionEvent[],
): Promise<boolean> {
  const { rowCount } = await pool.query(TERMINATE, [
    session.sessionId,
    session.workspaceId,
    lastEvents.map((event) => event.id),
    lastEvents.map((event) => event.type),
    lastEvents.map((event) => JSON.stringify(event)),
  ]);
  if (rowCount === 0) return false;
  wakeups.publish({ sessionId: session.sessionId });
  return true;
}
