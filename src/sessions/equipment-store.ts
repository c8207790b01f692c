import type pg from "pg";
import { z } from "zod";
import { EnvironmentConfig } from "../schemas/environment.ts";
import { RepositorySettings } from "../schemas/resource.ts";

/** What a session's rows say of what its sandbox is given. */
export type StoredEquipment = z.infer<typeof Row>;

/** One row, or none for a session that is not there. Resources in the order they were added. */
const FIND = `
SELECT session.vault_ids AS "vaultIds", environment.config -> 'networking' AS networking,
  ARRAY(SELECT row_to_json(resource) FROM (
    SELECT id AS "resourceId", file_id AS "fileId", mount_path AS "mountPath", repository
    FROM session_resources
    WHERE session_id = session.id AND workspace_id = session.workspace_id ORDER BY created_at, id
  ) AS resource) AS resources
FROM sessions AS session
LEFT JOIN environments AS environment
  ON environment.id = session.environment_id AND environment.workspace_id = session.workspace_id
WHERE session.id = $1 AND session.workspace_id = $2`;

const shared = { resourceId: z.string(), mountPath: z.string() };

const Row = z.object({
  vaultIds: z.array(z.string()),
  /** Null when the environment is gone. */
  networking: EnvironmentConfig.shape.networking.nullable(),
  resources: z.array(
    z.union([
      z.object({ ...shared, fileId: z.string(), repository: z.null() }),
      z.object({ ...shared, fileId: z.null(), repository: RepositorySettings }),
    ]),
  ),
});

/** A plain statement: the first model request after each message waits for it. */
export function createEquipmentStore(pool: pg.Pool) {
  return {
    async equipmentOf({
      sessionId,
      workspaceId,
    }: {
      sessionId: string;
      workspaceId: string;
    }): Promise<StoredEquipment> {
      const { rows } = await pool.query({ name: "equipment_of", text: FIND, values: [sessionId, workspaceId] });
      return rows.length === 0 ? { vaultIds: [], networking: null, resources: [] } : Row.parse(rows[0]);
    },
  };
}

export type EquipmentStore = ReturnType<typeof createEquipmentStore>;
