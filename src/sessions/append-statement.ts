import type { Append } from "./event-log.ts";
import { toJsonb } from "./jsonb.ts";

export interface Statement {
  /** For a prepared statement; absent where so many events are rare. */
  name?: string;
  text: string;
  values: unknown[];
}

/** Statements for more events than this are not kept prepared. */
const PREPARED_EVENTS_MAX = 16;

/**
 * One statement, so that the fence, the seq, the rows, the inbox and the derived state change together or not at all. It
 * says only what this append needs: on the hot path that halves its cost against one statement for all cases.
 *
 * The conditions stand on the session's own row: when a concurrent commit is waited for, Postgres checks them again on
 * the new version of that row, which it would not do for another table. Pure.
 */
export function appendStatement({ fence, events, state, taken = [], release }: Append): Statement {
  const values: unknown[] = [];
  const bind = (value: unknown) => `$${values.push(value)}`;
  const id = bind(fence.sessionId);
  const epoch = bind(fence.epoch);
  const sets = [`last_seq = last_seq + ${events.length}`, "updated_at = now()"];
  const conditions = [`id = ${id}`, `lease_epoch = ${epoch}`];

  if (state) {
    sets.push(`status = ${bind(state.status)}`, `usage = ${bind(JSON.stringify(state.usage))}`);
    sets.push(`active_ms = ${bind(Math.round(state.activeMs))}`, `running_since = ${bind(state.runningSince)}`);
    sets.push(`wake_at = ${bind(release && "wakeAt" in release ? release.wakeAt : null)}`);
  }
  if (release) sets.push("lease_owner = NULL", "lease_expires_at = NULL");
  if (release && "idle" in release) conditions.push(`queued_count = ${taken.length}`);

  let remove = "";
  if (taken.length > 0) {
    sets.push(`queued_count = queued_count - ${taken.length}`);
    remove = `, taken AS (
  DELETE FROM queued_events WHERE session_id = ${id} AND id = ANY(${bind(taken)}) AND EXISTS (SELECT FROM session)
)`;
  }
  const rows = events.map(({ event, private: hidden }, index) => {
    const payload = bind(toJsonb(event));
    const secret = bind(hidden === undefined ? null : toJsonb(hidden));
    return `SELECT ${id}, base + ${index + 1}, ${bind(event.id)}::text, thread_id, ${bind(event.type)}::text,
    ${payload}::jsonb, ${secret}::jsonb, ${bind(event.processed_at)}::timestamptz FROM session`;
  });
  const insert =
    rows.length === 0
      ? ""
      : `, written AS (
  INSERT INTO events (session_id, seq, id, thread_id, type, payload, private, processed_at)
  ${rows.join("\n  UNION ALL ")}
)`;
  const text = `WITH session AS (
  UPDATE sessions SET ${sets.join(", ")}
  WHERE ${conditions.join(" AND ")}
  RETURNING last_seq - ${events.length} AS base, queued_count, thread_id
)${remove}${insert}
SELECT base, queued_count FROM session`;
  return events.length > PREPARED_EVENTS_MAX || taken.length > 1
    ? { text, values }
    : { name: nameOf(events.length, state !== null, taken.length, release), text, values };
}

function nameOf(events: number, state: boolean, taken: number, release: Append["release"]): string {
  const kind = release ? ("idle" in release ? "idle" : "wake") : "keep";
  return `append_${events}_${state ? "state" : "same"}_${taken}_${kind}`;
}
