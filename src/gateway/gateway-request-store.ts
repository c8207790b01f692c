import type pg from "pg";

/** One request of a sandbox, as it is recorded. */
export interface GatewayRequestRow {
  workspaceId: string;
  /** Null for the build of an environment. */
  sessionId: string | null;
  method: string;
  scheme: string;
  host: string;
  port: number;
  /** Without its query; null for a tunnel. */
  path: string | null;
  decision: "allow" | "deny";
  rule: string;
  status: number | null;
  bytesOut: number;
  bytesIn: number;
  durationMs: number;
  /** How long before now the row is to be dated. */
  ageMs: number;
  credentialIds: readonly string[];
}

export interface Denial {
  /** Grows with time. */
  id: string;
  at: Date;
  method: string;
  scheme: string;
  host: string;
  port: number;
  /** Without its query; null for a tunnel. */
  path: string | null;
  rule: string;
}

/** Which of them to list; each that is null lets all through. */
export interface GatewayRequestFilter {
  sessionId: string | null;
  workspaceId: string | null;
  deniedOnly: boolean;
  since: Date | null;
  limit: number;
}

export interface RecordedRequest extends Omit<GatewayRequestRow, "ageMs"> {
  at: Date;
}

const DENIALS_MAX = 20;
/** Few enough for a statement that gets in nobody's way. */
const PRUNED_AT_ONCE = 5_000;

const INSERT = `
INSERT INTO gateway_requests (at, workspace_id, session_id, method, scheme, host, port, path, decision, rule, status,
  bytes_out, bytes_in, duration_ms, credential_ids)
SELECT now() - "ageMs" * interval '1 millisecond', "workspaceId", "sessionId", method, scheme, host, port, path, decision,
  rule, status, "bytesOut", "bytesIn", "durationMs", "credentialIds"
FROM jsonb_to_recordset($1::jsonb) AS row("ageMs" float8, "workspaceId" text, "sessionId" text, method text, scheme text,
  host text, port int, path text, decision text, rule text, status int, "bytesOut" bigint, "bytesIn" bigint,
  "durationMs" int, "credentialIds" text[])`;

const LIST = `
SELECT at, "workspaceId", "sessionId", method, scheme, host, port, path, decision, rule, status, "bytesOut", "bytesIn",
  "durationMs", "credentialIds"
FROM (
  SELECT id, at, workspace_id AS "workspaceId", session_id AS "sessionId", method, scheme, host, port, path, decision,
    rule, status, bytes_out::float8 AS "bytesOut", bytes_in::float8 AS "bytesIn", duration_ms AS "durationMs",
    credential_ids AS "credentialIds"
  FROM gateway_requests
  WHERE ($1::text IS NULL OR session_id = $1) AND ($2::text IS NULL OR workspace_id = $2)
    AND ($3::timestamptz IS NULL OR at >= $3) AND (NOT $4 OR decision = 'deny')
  ORDER BY at DESC, id DESC LIMIT $5
) latest
ORDER BY at, id`;

// The oldest by id, which have an index, and of these the old ones: rows come in about the order of their time.
const PRUNE = `
DELETE FROM gateway_requests WHERE id IN (
  SELECT id FROM (SELECT id, at FROM gateway_requests ORDER BY id LIMIT ${PRUNED_AT_ONCE}) oldest
  WHERE at < now() - $1 * interval '1 day'
)`;

/** The audit log of the gateway. Rows are dated by the database's clock. */
export function createGatewayRequestStore(pool: pg.Pool) {
  return {
    /** All or none. */
    async insert(rows: readonly GatewayRequestRow[]): Promise<void> {
      await pool.query({ name: "gateway_requests_insert", text: INSERT, values: [JSON.stringify(rows)] });
    },

    /** What a session was refused after that time, oldest first, 20 at most: of many alike the first say enough. */
    async deniedSince(sessionId: string, since: Date): Promise<Denial[]> {
      const { rows } = await pool.query<Denial>({
        name: "gateway_requests_denied",
        text: `SELECT id, at, method, scheme, host, port, path, rule FROM gateway_requests
          WHERE session_id = $1 AND at >= $2 AND decision = 'deny' ORDER BY at, id LIMIT ${DENIALS_MAX}`,
        values: [sessionId, since],
      });
      return rows;
    },

    /** For the operator, so of all workspaces: the latest that the filter lets through, the last of them last. */
    async list({ sessionId, workspaceId, since, deniedOnly, limit }: GatewayRequestFilter): Promise<RecordedRequest[]> {
      const values = [sessionId, workspaceId, since, deniedOnly, limit];
      return (await pool.query<RecordedRequest>(LIST, values)).rows;
    },

    /** Removes some of what is older than that; true when there may be more. */
    async prune(days: number): Promise<boolean> {
      const { rowCount } = await pool.query(PRUNE, [days]);
      return (rowCount ?? 0) > 0;
    },
  };
}

export type GatewayRequestStore = ReturnType<typeof createGatewayRequestStore>;
