import type pg from "pg";
import type { SessionAgent } from "../schemas/agent.ts";
import { SessionAgent as SessionAgentSchema } from "../schemas/agent.ts";
import { SessionStatus } from "../schemas/session.ts";
import type { Fence } from "./event-log.ts";
import { INITIAL_STATE, type SessionState } from "./transition.ts";

/** The right to write one session's log, with what the harness needs to know of the session. */
export interface Lease {
  fence: Fence;
  workspaceId: string;
  threadId: string;
  agent: SessionAgent;
  state: SessionState;
  /** Events that wait in the inbox. */
  queuedCount: number;
  /** When a rescheduled session may run again; null otherwise. */
  wakeAt: Date | null;
}

/**
 * Leases by epoch: each grant raises it, each append checks it. So a holder that was taken for dead can't write any more,
 * whatever it believes.
 */
export interface Leases {
  /** Null when another holder's lease is still good, when there is nothing to do, or when the session is gone. */
  acquire(sessionId: string, owner: string): Promise<Lease | null>;
  /**
   * How many events wait in the inbox; null when the lease is lost or was given back: a renewal that comes late must not
   * lock out the next holder.
   */
  renew(fence: Fence): Promise<{ queuedCount: number } | null>;
  /** Lets the next one in at once. No error when it was lost already. */
  release(fence: Fence): Promise<void>;
  /** Sessions with work to do and no good lease, longest waiting first. */
  abandoned(limit: number): Promise<string[]>;
}

const FREE = "(lease_expires_at IS NULL OR lease_expires_at < now())";
/** As the index `sessions_runnable_idx` has it. What an idle session holds back until a person decides is no work. */
const RUNNABLE = "(queued_count > held_count OR status IN ('running', 'rescheduling'))";

const ACQUIRE = `
UPDATE sessions SET
  lease_epoch = lease_epoch + 1, lease_owner = $2, lease_expires_at = now() + $3 * interval '1 ms'
WHERE id = $1 AND ${FREE} AND ${RUNNABLE} AND status <> 'terminated'
RETURNING workspace_id, thread_id, agent, status, usage, active_ms, running_since, lease_epoch, queued_count,
  wake_at`;

interface AcquiredRow {
  workspace_id: string;
  thread_id: string;
  agent: unknown;
  status: string;
  usage: unknown;
  active_ms: number;
  running_since: Date | null;
  lease_epoch: number;
  queued_count: number;
  wake_at: Date | null;
}

export function createLeases(pool: pg.Pool, ttlMs: number): Leases {
  return {
    async acquire(sessionId, owner) {
      const { rows } = await pool.query<AcquiredRow>({
        name: "acquire",
        text: ACQUIRE,
        values: [sessionId, owner, ttlMs],
      });
      return rows[0] ? toLease(sessionId, rows[0]) : null;
    },

    async renew({ sessionId, epoch }) {
      const { rows } = await pool.query<{ queued_count: number }>({
        name: "renew",
        text: `UPDATE sessions SET lease_expires_at = now() + $3 * interval '1 ms'
          WHERE id = $1 AND lease_epoch = $2 AND lease_owner IS NOT NULL RETURNING queued_count`,
        values: [sessionId, epoch, ttlMs],
      });
      return rows[0] ? { queuedCount: rows[0].queued_count } : null;
    },

    async release({ sessionId, epoch }) {
      await pool.query(
        "UPDATE sessions SET lease_expires_at = NULL, lease_owner = NULL WHERE id = $1 AND lease_epoch = $2",
        [sessionId, epoch],
      );
    },

    async abandoned(limit) {
      const { rows } = await pool.query<{ id: string }>({
        name: "abandoned",
        text: `SELECT id FROM sessions
          WHERE ${FREE} AND ${RUNNABLE} AND status <> 'terminated'
            AND (wake_at IS NULL OR wake_at <= now())
          ORDER BY lease_expires_at NULLS FIRST LIMIT $1`,
        values: [limit],
      });
      return rows.map((row) => row.id);
    },
  };
}

function toLease(sessionId: string, row: AcquiredRow): Lease {
  const state: SessionState = {
    status: SessionStatus.parse(row.status),
    usage: { ...INITIAL_STATE.usage, ...(row.usage as Partial<SessionState["usage"]>) },
    activeMs: row.active_ms,
    runningSince: row.running_since?.toISOString() ?? null,
  };
  return {
    fence: { sessionId, epoch: row.lease_epoch },
    workspaceId: row.workspace_id,
    threadId: row.thread_id,
    agent: SessionAgentSchema.parse(row.agent),
    state,
    queuedCount: row.queued_count,
    wakeAt: row.wake_at,
  };
}
