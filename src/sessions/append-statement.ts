import type { Append } from "./event-log.ts";
import { toJsonb } from "./jsonb.ts";

export interface Statement {
  /** For a prepared statement; absent where so many events are rare. */
  name?: string;
  text: string;
  values: unknown[];
}

/** What an append needs said; every append of one shape has the same text. */
interface Shape {
  events: number;
  state: boolean;
  taken: number;
  release: "idle" | "wake" | null;
  held: boolean;
}

/** Statements for more events, or for more that are taken, are not kept prepared. */
const PREPARED_EVENTS_MAX = 16;
const PREPARED_TAKEN_MAX = 1;

const prepared = new Map<string, string>();

/**
 * One statement, so that the fence, the seq, the rows, the inbox and the derived state change together or not at all. It
 * says only what this append needs: on the hot path that halves its cost against one statement for all cases.
 *
 * The conditions stand on the session's own row: when a concurrent commit is waited for, Postgres checks them again on
 * the new version of that row, which it would not do for another table. Pure.
 */
export function appendStatement(append: Append): Statement {
  const shape = shapeOf(append);
  const values = valuesOf(append);
  if (shape.events > PREPARED_EVENTS_MAX || shape.taken > PREPARED_TAKEN_MAX || shape.held)
    return { text: textOf(shape), values };
  const name = `append_${shape.events}_${shape.state}_${shape.taken}_${shape.release}`;
  const text = prepared.get(name) ?? textOf(shape);
  prepared.set(name, text);
  return { name, text, values };
}

function shapeOf({ events, state, taken = [], release }: Append): Shape {
  return {
    events: events.length,
    state: state !== null,
    taken: taken.length,
    release: release ? ("idle" in release ? "idle" : "wake") : null,
    held: heldBy(release) > 0,
  };
}

function heldBy(release: Append["release"]): number {
  return release && "idle" in release ? (release.held ?? 0) : 0;
}

/** In the order in which `textOf` counts them. */
function valuesOf({ fence, events, state, taken = [], release }: Append): unknown[] {
  const values: unknown[] = [fence.sessionId, fence.epoch];
  if (state) {
    values.push(state.status, JSON.stringify(state.usage), Math.round(state.activeMs), state.runningSince);
    values.push(release && "wakeAt" in release ? release.wakeAt : null);
    if (heldBy(release) > 0) values.push(heldBy(release));
  }
  if (taken.length > 0) values.push(taken);
  for (const { event, private: hidden } of events) {
    values.push(
      event.id,
      event.type,
      toJsonb(event),
      hidden === undefined ? null : toJsonb(hidden),
      event.processed_at,
    );
  }
  return values;
}

function textOf({ events, state, taken, release, held }: Shape): string {
  let bound = 2;
  const next = () => `$${(bound += 1)}`;
  const sets = [`last_seq = last_seq + ${events}`, "updated_at = now()"];
  const conditions = ["id = $1", "lease_epoch = $2"];

  if (state) {
    sets.push(`status = ${next()}`, `usage = ${next()}`, `active_ms = ${next()}`, `running_since = ${next()}`);
    sets.push(`wake_at = ${next()}`);
    const left = held ? next() : "0";
    sets.push(`held_count = ${left}`);
    if (release === "idle") conditions.push(`queued_count = ${taken} + ${left}`);
  }
  if (release) sets.push("lease_owner = NULL", "lease_expires_at = NULL");

  let remove = "";
  if (taken > 0) {
    sets.push(`queued_count = queued_count - ${taken}`);
    remove = `, taken AS (
  DELETE FROM queued_events WHERE session_id = $1 AND id = ANY(${next()}) AND EXISTS (SELECT FROM session)
)`;
  }
  const rows = Array.from(
    { length: events },
    (_, index) => `SELECT $1, base + ${index + 1}, ${next()}::text, thread_id, ${next()}::text,
    ${next()}::jsonb, ${next()}::jsonb, ${next()}::timestamptz FROM session`,
  );
  const insert = `, written AS (
  INSERT INTO events (session_id, seq, id, thread_id, type, payload, private, processed_at)
  ${rows.join("\n  UNION ALL ")}
)`;
  return `WITH session AS (
  UPDATE sessions SET ${sets.join(", ")}
  WHERE ${conditions.join(" AND ")}
  RETURNING last_seq - ${events} AS base, queued_count, thread_id
)${remove}${events > 0 ? insert : ""}
SELECT base, queued_count FROM session`;
}
