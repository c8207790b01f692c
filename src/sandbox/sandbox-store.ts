import type pg from "pg";

/** Which sandbox a session was given last; it may be gone by now. */
export interface SandboxRecord {
  ref: string;
  image: string;
  /** Ids of the session resources that were put in. */
  mounted: string[];
  /** Names its socket at the gateway; null when it was made without a way out. */
  gatewayId: string | null;
}

export interface SandboxStore {
  find(sessionId: string): Promise<SandboxRecord | null>;
  /** Replaces what the session had before. */
  save(session: { sessionId: string; workspaceId: string }, record: SandboxRecord): Promise<void>;
  /** Of these sessions, the ones that exist no more or are archived. */
  endedSessions(sessionIds: string[]): Promise<string[]>;
}

/** By plain statements: a turn with a tool call waits for `find`, and through Prisma that takes several times as long. */
export function createSandboxStore(pool: pg.Pool): SandboxStore {
  return {
    async find(sessionId) {
      const { rows } = await pool.query<SandboxRecord>({
        name: "sandbox_find",
        text: `SELECT ref, image, mounted, gateway_id AS "gatewayId" FROM sandboxes WHERE session_id = $1`,
        values: [sessionId],
      });
      return rows[0] ?? null;
    },

    async save({ sessionId, workspaceId }, { ref, image, mounted, gatewayId }) {
      await pool.query({
        name: "sandbox_save",
        text: `INSERT INTO sandboxes (session_id, workspace_id, ref, image, mounted, gateway_id)
          VALUES ($1, $2, $3, $4, $5, $6)
          ON CONFLICT (session_id) DO UPDATE
          SET ref = excluded.ref, image = excluded.image, mounted = excluded.mounted, gateway_id = excluded.gateway_id,
            created_at = now()`,
        values: [sessionId, workspaceId, ref, image, mounted, gatewayId],
      });
    },

    async endedSessions(sessionIds) {
      const { rows } = await pool.query<{ id: string }>(
        `SELECT id FROM unnest($1::text[]) AS asked(id)
         WHERE NOT EXISTS (SELECT FROM sessions WHERE sessions.id = asked.id AND archived_at IS NULL)`,
        [sessionIds],
      );
      return rows.map((row) => row.id);
    },
  };
}
