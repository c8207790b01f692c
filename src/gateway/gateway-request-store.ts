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

const DENIALS_MAX = 20;

const INSERT = `
INSERT INTO gateway_requests (at, workspace_id, session_id, method, scheme, host, port, path, decision, rule, status,
  bytes_out, bytes_in, duration_ms, credential_ids)
SELECT now() - "ageMs" * interval '1 millisecond', "workspaceId", "sessionId", method, scheme, host, port, path, decision,
  rule, status, "bytesOut", "bytesIn", "durationMs", "credentialIds"
FROM jsonb_to_recordset($1::jsonb) AS row("ageMs" float8, "workspaceId" text, "sessionId" text, method text, scheme text,
  host text, port int, path text, decision text, rule text, status int, "bytesOut" bigint, "bytesIn" bigint,
  "durationMs" int, "credentialIds" text[])`;

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
  };
}

export type GatewayRequestStore = ReturnType<typeof createGatewayRequestStore>;
