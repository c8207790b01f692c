import type pg from "pg";

export interface Mount {
  resourceId: string;
  fileId: string;
  /** Absolute, below `/mnt/session/uploads`. */
  mountPath: string;
}

/** What is to be put into a session's sandbox, oldest first. A plain statement: every model request waits for it. */
export function createMountStore(pool: pg.Pool) {
  return {
    async mountsOf(sessionId: string): Promise<Mount[]> {
      const { rows } = await pool.query<Mount>({
        name: "mounts_of",
        text: `SELECT id AS "resourceId", file_id AS "fileId", mount_path AS "mountPath"
          FROM session_resources WHERE session_id = $1 ORDER BY created_at, id`,
        values: [sessionId],
      });
      return rows;
    },
  };
}

export type MountStore = ReturnType<typeof createMountStore>;
