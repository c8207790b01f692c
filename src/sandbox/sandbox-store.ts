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

/** As it is found. */
export interface FoundSandbox extends SandboxRecord {
  /** It was paused, stopped or removed for want of use, or is about to be. */
  asleep: boolean;
}

export interface SandboxStore {
  find(sessionId: string): Promise<FoundSandbox | null>;
  /** To be called before a sandbox that is `asleep` is joined. Waits while it is being put to sleep. */
  wake(sessionId: string): Promise<void>;
  /** Replaces what the session had before. */
  save(session: { sessionId: string; workspaceId: string }, record: SandboxRecord): Promise<void>;
  /** Of these sessions, the ones that exist no more or are archived. */
  endedSessions(sessionIds: string[]): Promise<string[]>;
  /** Forgets the sandboxes of sessions that are gone. */
  forgetDeleted(): Promise<void>;
}

/** By plain statements: a turn with a tool call waits for `find`, and through Prisma that takes several times as long. */
export function createSandboxStore(pool: pg.Pool): SandboxStore {
  return {
    async find(sessionId) {
      const { rows } = await pool.query<FoundSandbox>({
        name: "sandbox_find",
        text: `SELECT ref, image, mounted, gateway_id AS "gatewayId", asleep IS NOT NULL AS asleep
          FROM sandboxes WHERE session_id = $1`,
        values: [sessionId],
      });
      return rows[0] ?? null;
    },

    async wake(sessionId) {
      await pool.query("UPDATE sandboxes SET asleep = NULL WHERE session_id = $1", [sessionId]);
    },

    async save({ sessionId, workspaceId }, { ref, image, mounted, gatewayId }) {
      await pool.query({
        name: "sandbox_save",
        text: `INSERT INTO sandboxes (session_id, workspace_id, ref, image, mounted, gateway_id)
          VALUES ($1, $2, $3, $4, $5, $6)
          ON CONFLICT (session_id) DO UPDATE
          SET ref = excluded.ref, image = excluded.image, mounted = excluded.mounted, gateway_id = excluded.gateway_id,
            asleep = NULL, created_at = now()`,
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

    async forgetDeleted() {
      await pool.query(
        "DELETE FROM sandboxes WHERE NOT EXISTS (SELECT FROM sessions WHERE sessions.id = sandboxes.session_id)",
      );
    },
  };
}
