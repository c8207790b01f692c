import type pg from "pg";

/** How deep a sandbox sleeps, in the order in which it comes. */
export const SLEEP_STATES = ["paused", "stopped", "removed"] as const;
export type SleepState = (typeof SLEEP_STATES)[number];

export interface IdleStore {
  /** Sessions whose sandbox is to be put into this state: idle for that long, not asleep as deep yet. At most 100. */
  due(state: SleepState, idleMs: number): Promise<{ sessionId: string; ref: string }[]>;
  /**
   * Puts one to sleep with `act`, unless its session was taken up meanwhile. A harness that takes it up while `act` runs
   * waits for it in `wake`.
   * @returns false, with nothing done, when it is in use, or another process is at it
   */
  sleep(sessionId: string, state: SleepState, idleMs: number, act: (ref: string) => Promise<void>): Promise<boolean>;
}

/** Nobody works on the session, nothing waits to be worked on, and so it has been for that long. */
const idleFor = (ms: string) => `s.status IN ('idle', 'terminated') AND s.queued_count <= s.held_count
  AND (s.lease_expires_at IS NULL OR s.lease_expires_at < now())
  AND s.updated_at < now() - ${ms} * interval '1 ms'`;
const shallowerThan = (states: string) => `array_position(${states}::text[], b.asleep) IS NULL`;

export function createIdleStore(pool: pg.Pool): IdleStore {
  return {
    async due(state, idleMs) {
      const { rows } = await pool.query<{ sessionId: string; ref: string }>(
        `SELECT b.session_id AS "sessionId", b.ref FROM sandboxes b
         JOIN sessions s ON s.id = b.session_id AND s.workspace_id = b.workspace_id
         WHERE ${idleFor("$1")} AND ${shallowerThan("$2")} ORDER BY s.updated_at LIMIT 100`,
        [idleMs, deepEnough(state)],
      );
      return rows;
    },

    async sleep(sessionId, state, idleMs, act) {
      return (await announce(pool, sessionId, state, idleMs)) && (await perform(pool, sessionId, state, act));
    },
  };
}

/**
 * Says what is about to happen, under the lock that a harness needs to take the session: whoever takes it after that
 * finds it said, and whoever took it before keeps it awake.
 */
async function announce(pool: pg.Pool, sessionId: string, state: SleepState, idleMs: number): Promise<boolean> {
  const { rowCount } = await pool.query(
    `WITH session AS (
       SELECT s.id, s.workspace_id FROM sessions s WHERE s.id = $1 AND ${idleFor("$2")} FOR UPDATE SKIP LOCKED
     )
     UPDATE sandboxes b SET asleep = $4 FROM session
     WHERE b.session_id = session.id AND b.workspace_id = session.workspace_id AND ${shallowerThan("$3")}`,
    [sessionId, idleMs, deepEnough(state), state],
  );
  return rowCount === 1;
}

/** Does it while nobody can wake the sandbox, and only if nobody has. */
async function perform(
  pool: pg.Pool,
  sessionId: string,
  state: SleepState,
  act: (ref: string) => Promise<void>,
): Promise<boolean> {
  const client = await pool.connect();
  try {
    await client.query("BEGIN");
    const { rows } = await client.query<{ ref: string }>(
      "SELECT ref FROM sandboxes WHERE session_id = $1 AND asleep = $2 FOR UPDATE",
      [sessionId, state],
    );
    if (rows[0]) await act(rows[0].ref);
    await client.query("COMMIT");
    return rows[0] !== undefined;
  } catch (error) {
    await client.query("ROLLBACK");
    await client.query("UPDATE sandboxes SET asleep = NULL WHERE session_id = $1 AND asleep = $2", [sessionId, state]);
    throw error;
  } finally {
    client.release();
  }
}

const deepEnough = (state: SleepState) => SLEEP_STATES.slice(SLEEP_STATES.indexOf(state));
