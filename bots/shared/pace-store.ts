import type { Database } from "../../src/database.ts";
import type { PaceLimit, PaceStore } from "./pace-limit.ts";

/**
 * Paces in Postgres, for all processes together and by the database's clock. `next_at` is when a bucket is full again if
 * nothing more is taken, so one number says both how much of the burst is left and when the next slot comes.
 */
export function createPaceStore({ pool }: Pick<Database, "pool">): PaceStore {
  return {
    async reserve(limits) {
      const { rows } = await pool.query<{ wait_ms: number }>(RESERVE, parameters(limits));
      return rows[0]?.wait_ms ?? 0;
    },

    async reserveSpare(limit) {
      const { rows } = await pool.query<{ wait_ms: number }>(RESERVE_SPARE, [
        limit.key,
        limit.intervalMs,
        spareMs(limit),
      ]);
      return rows[0]?.wait_ms ?? 0;
    },

    async hold(limit, forMs) {
      await pool.query(HOLD, [limit.key, holdKey(limit.key), forMs + (limit.burst - 1) * limit.intervalMs, forMs]);
    },

    async heldMs(keys) {
      const { rows } = await pool.query<{ held_ms: number | null }>(HELD, [keys.map((key) => holdKey(key))]);
      return Math.max(0, rows[0]?.held_ms ?? 0);
    },

    async forget(olderThanMs) {
      await pool.query("DELETE FROM chat_paces WHERE next_at < now() - $1 * interval '1 ms'", [olderThanMs]);
    },
  };
}

const holdKey = (key: string) => `${key}#hold`;
/** Spare calls leave half of a bucket to the others. */
const spareMs = ({ burst, intervalMs }: PaceLimit) => Math.floor(burst / 2) * intervalMs;

/** Rows are locked in the order of their keys, so two callers can't wait for each other. */
function parameters(limits: readonly PaceLimit[]): [string[], number[], number[]] {
  const sorted = limits.toSorted((a, b) => (a.key < b.key ? -1 : 1));
  return [
    sorted.map(({ key }) => key),
    sorted.map(({ intervalMs }) => intervalMs),
    sorted.map(({ intervalMs, burst }) => intervalMs * burst),
  ];
}

/** Less than a millisecond is none: that is how exact the column is. */
const RESERVE = `
  WITH wanted AS (
    SELECT key, interval_ms, burst_ms FROM unnest($1::text[], $2::float8[], $3::float8[]) AS w(key, interval_ms, burst_ms)
  ), taken AS (
    INSERT INTO chat_paces AS p (key, next_at)
    SELECT key, now() + interval_ms * interval '1 ms' FROM wanted ORDER BY key
    ON CONFLICT (key) DO UPDATE SET next_at = GREATEST(p.next_at, now()) + (EXCLUDED.next_at - now())
    RETURNING key, next_at
  )
  SELECT GREATEST(0, floor(max(extract(epoch FROM next_at - clock_timestamp())::float8 * 1000 - burst_ms))) AS wait_ms
  FROM taken JOIN wanted USING (key)`;

/** Takes a slot only where at least half of the burst is left; else says how long until then. */
const RESERVE_SPARE = `
  WITH taken AS (
    INSERT INTO chat_paces AS p (key, next_at) VALUES ($1, now() + $2 * interval '1 ms')
    ON CONFLICT (key) DO UPDATE SET next_at = GREATEST(p.next_at, now()) + $2 * interval '1 ms'
      WHERE p.next_at <= now() + $3 * interval '1 ms'
    RETURNING 0::float8 AS wait_ms
  )
  SELECT COALESCE(
    (SELECT wait_ms FROM taken),
    (SELECT GREATEST(1, extract(epoch FROM next_at - clock_timestamp())::float8 * 1000 - $3)
     FROM chat_paces WHERE key = $1)
  ) AS wait_ms`;

const HOLD = `
  INSERT INTO chat_paces AS p (key, next_at)
  VALUES ($1, now() + $3 * interval '1 ms'), ($2, now() + $4 * interval '1 ms')
  ON CONFLICT (key) DO UPDATE SET next_at = GREATEST(p.next_at, EXCLUDED.next_at)`;

const HELD = `
  SELECT extract(epoch FROM max(next_at) - clock_timestamp())::float8 * 1000 AS held_ms
  FROM chat_paces WHERE key = ANY($1::text[])`;
