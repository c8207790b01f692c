import type pg from "pg";
import { z } from "zod";
import { CredentialSettings } from "../schemas/credential.ts";
import type { Secret } from "../secrets/secret.ts";
import type { SessionCredentials, SessionVariable } from "./session-credentials.ts";
import type { VaultCipher } from "./vault-cipher.ts";

const CACHED_MAX = 1_000;

const FIND = `
SELECT c.id, c.vault_id, c.settings, c.secret, c.version, v.data_key
FROM vault_credentials c JOIN vaults v ON v.id = c.vault_id AND v.workspace_id = c.workspace_id
WHERE c.workspace_id = $1 AND c.vault_id = ANY($2) AND c.type = 'environment_variable'
  AND c.archived_at IS NULL AND v.archived_at IS NULL
ORDER BY array_position($2, c.vault_id), c.created_at, c.id`;

const Row = z.object({
  id: z.string(),
  vault_id: z.string(),
  settings: CredentialSettings,
  secret: z.instanceof(Uint8Array),
  version: z.number(),
  data_key: z.instanceof(Uint8Array),
});
type Row = z.infer<typeof Row>;

interface Cached {
  vaultId: string;
  version: number;
  value: Secret;
}

/** One statement a call. It fails as a whole when one secret can't be read, so that no request goes out half-equipped. */
export function createSessionVariables(
  pool: pg.Pool,
  cipher: Pick<VaultCipher, "decrypt">,
): Pick<SessionCredentials, "variables"> {
  /** By credential; the one that was not used for longest is first. */
  const cache = new Map<string, Cached>();

  const valueOf = async (row: Row): Promise<Secret> => {
    const known = cache.get(row.id);
    const value = known?.version === row.version ? known.value : await decrypted(cipher, row);
    cache.delete(row.id);
    cache.set(row.id, { vaultId: row.vault_id, version: row.version, value });
    return value;
  };

  const forgetOthers = (vaultIds: readonly string[], rows: Row[]) => {
    const there = new Set(rows.map(({ id }) => id));
    const asked = new Set(vaultIds);
    for (const [id, { vaultId }] of cache) if (asked.has(vaultId) && !there.has(id)) cache.delete(id);
    for (const id of cache.keys()) {
      if (cache.size <= CACHED_MAX) break;
      cache.delete(id);
    }
  };

  return {
    async variables(workspaceId, vaultIds) {
      if (vaultIds.length === 0) return [];
      const { rows } = await pool.query({ name: "session_variables", text: FIND, values: [workspaceId, vaultIds] });
      const found = z.array(Row).parse(rows);
      const variables = new Map<string, SessionVariable>();
      for (const row of found) {
        const { settings } = row;
        if (settings.type !== "environment_variable" || variables.has(settings.secret_name)) continue;
        variables.set(settings.secret_name, {
          credentialId: row.id,
          vaultId: row.vault_id,
          secretName: settings.secret_name,
          value: await valueOf(row),
          hosts: settings.networking.type === "limited" ? settings.networking.allowed_hosts : null,
          injection: settings.injection_location,
        });
      }
      forgetOthers(vaultIds, found);
      return [...variables.values()];
    },
  };
}

async function decrypted(cipher: Pick<VaultCipher, "decrypt">, row: Row): Promise<Secret> {
  const place = { vaultId: row.vault_id, credentialId: row.id, dataKey: row.data_key };
  const secret = await cipher.decrypt(place, row.secret);
  if (secret.type === "environment_variable") return secret.value;
  throw new Error(`The secret of ${row.id} is of type ${secret.type}, and its settings are of another.`);
}
