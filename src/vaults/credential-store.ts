import type pg from "pg";
import { z } from "zod";
import { CredentialSettings } from "../schemas/credential.ts";
import type { CredentialSecret } from "./credential-secret.ts";
import { mcpServerKey } from "./mcp-server-key.ts";
import type { VaultCipher } from "./vault-cipher.ts";

/** A credential that counts, with its secret: for those who use it, never for an answer of the API. */
export interface StoredCredential {
  id: string;
  vaultId: string;
  workspaceId: string;
  type: CredentialSettings["type"];
  /** The server's URL as `mcpServerKey` has it, or the variable's name. */
  key: string;
  settings: CredentialSettings;
  secret: CredentialSecret;
  /** Counts the changes. */
  version: number;
  /** A process refreshes it until then. */
  refreshingUntil: Date | null;
  /** When the token endpoint refused the refresh token; null since it last worked. */
  refreshRefusedAt: Date | null;
}

/** Only active credentials of vaults that are not archived are found; null for all others, and other workspaces'. */
export interface CredentialStore {
  /** Of several vaults with a token for the server, the one named first counts. */
  findBearer(workspaceId: string, vaultIds: readonly string[], mcpServerUrl: string): Promise<StoredCredential | null>;
  find(workspaceId: string, vaultId: string, credentialId: string): Promise<StoredCredential | null>;
  /**
   * Lets the caller, and nobody else, refresh it until `untilMs` (as `Date.now()` counts). False when another does so, or
   * it was changed since `version`.
   */
  claimRefresh(credentialId: string, version: number, untilMs: number): Promise<boolean>;
  /**
   * Ends the claim with new tokens and counts the version up. False, and nothing is written, when it was changed since
   * `version` or archived. The type of the secret must be the credential's.
   */
  saveRefreshed(credentialId: string, version: number, tokens: RefreshedTokens): Promise<boolean>;
  /** Ends the claim: the token endpoint wants this refresh token no more. No effect when it was changed since `version`. */
  refuseRefresh(credentialId: string, version: number): Promise<void>;
  /** Ends the claim with nothing learned, so that others may try. No effect when it was changed since `version`. */
  releaseRefresh(credentialId: string, version: number): Promise<void>;
}

export interface RefreshedTokens {
  secret: CredentialSecret;
  /** Of the access token; null when the endpoint did not say. */
  expiresAt: Date | null;
}

const FIND = `
SELECT c.id, c.vault_id, c.workspace_id, c.key, c.settings, c.secret, c.version, c.refreshing_until,
       c.refresh_refused_at, v.data_key
FROM vault_credentials c JOIN vaults v ON v.id = c.vault_id AND v.workspace_id = c.workspace_id
WHERE c.workspace_id = $1 AND c.vault_id = ANY($2) AND c.archived_at IS NULL AND v.archived_at IS NULL`;

const FIND_BEARER = `${FIND} AND c.key = $3 AND c.type IN ('static_bearer', 'mcp_oauth')
ORDER BY array_position($2, c.vault_id) LIMIT 1`;

const FIND_ONE = `${FIND} AND c.id = $3`;

const CLAIM = `
UPDATE vault_credentials SET refreshing_until = $3
WHERE id = $1 AND version = $2 AND archived_at IS NULL AND (refreshing_until IS NULL OR refreshing_until <= now())`;

const FIND_DATA_KEY = `
SELECT v.id AS vault_id, v.data_key FROM vaults v JOIN vault_credentials c ON c.vault_id = v.id
WHERE c.id = $1 AND c.version = $2 AND c.archived_at IS NULL`;

const SAVE = `
UPDATE vault_credentials
SET secret = $3, settings = jsonb_set(settings, '{expires_at}', $4::jsonb), version = version + 1,
    refreshing_until = NULL, refresh_refused_at = NULL, updated_at = now()
WHERE id = $1 AND version = $2 AND archived_at IS NULL`;

const REFUSE = `
UPDATE vault_credentials SET refresh_refused_at = now(), refreshing_until = NULL
WHERE id = $1 AND version = $2 AND archived_at IS NULL`;

const RELEASE = `UPDATE vault_credentials SET refreshing_until = NULL WHERE id = $1 AND version = $2`;

const Row = z.object({
  id: z.string(),
  vault_id: z.string(),
  workspace_id: z.string(),
  key: z.string(),
  settings: CredentialSettings,
  secret: z.instanceof(Uint8Array),
  version: z.number(),
  refreshing_until: z.date().nullable(),
  refresh_refused_at: z.date().nullable(),
  data_key: z.instanceof(Uint8Array),
});

const DataKeyRow = z.object({ vault_id: z.string(), data_key: z.instanceof(Uint8Array) });

export function createCredentialStore(pool: pg.Pool, cipher: VaultCipher): CredentialStore {
  const findOne = async (statement: string, values: unknown[]): Promise<StoredCredential | null> => {
    const { rows } = await pool.query(statement, values);
    return rows[0] === undefined ? null : open(cipher, Row.parse(rows[0]));
  };
  const changesOne = async (statement: string, values: unknown[]): Promise<boolean> =>
    (await pool.query(statement, values)).rowCount === 1;

  return {
    findBearer: (workspaceId, vaultIds, mcpServerUrl) =>
      findOne(FIND_BEARER, [workspaceId, vaultIds, mcpServerKey(mcpServerUrl)]),

    find: (workspaceId, vaultId, credentialId) => findOne(FIND_ONE, [workspaceId, [vaultId], credentialId]),

    claimRefresh: (credentialId, version, untilMs) => changesOne(CLAIM, [credentialId, version, new Date(untilMs)]),

    async saveRefreshed(credentialId, version, { secret, expiresAt }) {
      const { rows } = await pool.query(FIND_DATA_KEY, [credentialId, version]);
      if (rows[0] === undefined) return false;
      const { vault_id: vaultId, data_key: dataKey } = DataKeyRow.parse(rows[0]);
      const encrypted = await cipher.encrypt({ vaultId, credentialId, dataKey }, secret);
      return changesOne(SAVE, [credentialId, version, encrypted, JSON.stringify(expiresAt)]);
    },

    async refuseRefresh(credentialId, version) {
      await pool.query(REFUSE, [credentialId, version]);
    },

    async releaseRefresh(credentialId, version) {
      await pool.query(RELEASE, [credentialId, version]);
    },
  };
}

async function open(cipher: VaultCipher, row: z.infer<typeof Row>): Promise<StoredCredential> {
  const place = { vaultId: row.vault_id, credentialId: row.id, dataKey: row.data_key };
  return {
    id: row.id,
    vaultId: row.vault_id,
    workspaceId: row.workspace_id,
    type: row.settings.type,
    key: row.key,
    settings: row.settings,
    secret: await cipher.decrypt(place, row.secret),
    version: row.version,
    refreshingUntil: row.refreshing_until,
    refreshRefusedAt: row.refresh_refused_at,
  };
}
