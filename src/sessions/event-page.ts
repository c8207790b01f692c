import type pg from "pg";
import { notFound } from "../errors.ts";
import { QueuedEvent, SessionEvent } from "../schemas/event.ts";

export interface EventPageQuery {
  order: "asc" | "desc";
  limit: number;
  /** Position of the last event of the page before, as `next` gave it. */
  after: string | null;
  types?: string[];
  /** Compared with `processed_at`; an event that is still queued passes no such filter. RFC 3339. */
  createdAt?: { gt?: string; gte?: string; lt?: string; lte?: string };
}

export interface EventPage {
  data: (SessionEvent | QueuedEvent)[];
  /** Null on the last page. */
  next: string | null;
}

/**
 * The log and, as its future end, the inbox: queued events come after all committed ones in ascending order. `position`
 * puts both on one axis; a queued event has no seq yet, so its order of arrival counts from beyond any seq.
 */
const PAGE = (order: "ASC" | "DESC", compare: "<" | ">") => `
SELECT position, payload FROM (
  SELECT seq::bigint AS position, type, payload, processed_at FROM events WHERE session_id = $1
  UNION ALL
  SELECT arrival + 4611686018427387904, type, payload, NULL FROM queued_events WHERE session_id = $1
) AS e
WHERE ($2::bigint IS NULL OR position ${compare} $2)
  AND ($3::text[] IS NULL OR type = ANY($3))
  AND ($4::timestamptz IS NULL OR processed_at > $4) AND ($5::timestamptz IS NULL OR processed_at >= $5)
  AND ($6::timestamptz IS NULL OR processed_at < $6) AND ($7::timestamptz IS NULL OR processed_at <= $7)
ORDER BY position ${order} LIMIT $8`;

/** @throws AppError `not_found`, also for another workspace's session */
export async function readEventPage(
  pool: pg.Pool,
  workspaceId: string,
  sessionId: string,
  query: EventPageQuery,
): Promise<EventPage> {
  const session = await pool.query("SELECT FROM sessions WHERE id = $1 AND workspace_id = $2", [
    sessionId,
    workspaceId,
  ]);
  if (session.rowCount === 0) throw notFound("Session", sessionId);

  const { gt, gte, lt, lte } = query.createdAt ?? {};
  const { rows } = await pool.query<{ position: string; payload: unknown }>(
    query.order === "asc" ? PAGE("ASC", ">") : PAGE("DESC", "<"),
    [sessionId, query.after, query.types ?? null, gt, gte, lt, lte, query.limit + 1],
  );
  const shown = rows.slice(0, query.limit);
  return {
    data: shown.map((row) => parseEither(row.payload)),
    next: rows.length > query.limit ? (shown.at(-1)?.position ?? null) : null,
  };
}

function parseEither(payload: unknown): SessionEvent | QueuedEvent {
  const queued = QueuedEvent.safeParse(payload);
  return queued.success ? queued.data : SessionEvent.parse(payload);
}
