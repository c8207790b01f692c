import { randomBytes } from "node:crypto";
import { createDatabase } from "../../src/database.ts";
import { createResolve } from "../../src/gateway/resolve.ts";
import { Secret } from "../../src/secrets/secret.ts";
import { createLocalCipher } from "../../src/secrets/local-cipher.ts";
import type { CredentialSettings } from "../../src/schemas/credential.ts";
import { createBearers } from "../../src/vaults/bearer.ts";
import { type CheckedFetch, createCheckedFetch } from "../../src/vaults/checked-fetch.ts";
import type { CredentialSecret } from "../../src/vaults/credential-secret.ts";
import { type CredentialStore, createCredentialStore } from "../../src/vaults/credential-store.ts";
import { createMcpOAuthRefresh } from "../../src/vaults/mcp-oauth-refresh.ts";
import { createVaultCipher } from "../../src/vaults/vault-cipher.ts";
import type { FakeOAuth } from "../fakes/oauth-server.ts";
import { createTestDatabase } from "./database.ts";
import { SILENT } from "./silent-log.ts";

export const WORKSPACE = "wrkspc_test";
const VAULT = "vlt_test";

/** Goes to this machine only. */
export const loopbackFetch: CheckedFetch = createCheckedFetch({
  resolve: createResolve({ servers: [], allowedNetworks: ["127.0.0.0/8"] }),
});

/** A database with a vault, and workers on it. */
export async function openMcpCredentials() {
  const database = await createTestDatabase();
  const { pool, close } = createDatabase(database.url, () => undefined);
  const cipher = createVaultCipher(createLocalCipher(new Secret(randomBytes(32).toString("base64"))));
  const store = createCredentialStore(pool, cipher);
  const dataKey = await cipher.newDataKey(VAULT);
  await pool.query(
    "INSERT INTO vaults (id, workspace_id, display_name, metadata, data_key) VALUES ($1, $2, 'test', '{}', $3)",
    [VAULT, WORKSPACE, dataKey],
  );
  let count = 0;

  return {
    pool,
    store,
    /** Everything that a process of its own has: nothing is shared but the database. */
    worker(options: { store?: Partial<CredentialStore>; now?: () => number } = {}) {
      const { now = Date.now } = options;
      const own = { ...createCredentialStore(pool, cipher), ...options.store };
      const refresh = createMcpOAuthRefresh({ store: own, fetch: loopbackFetch, log: SILENT, now });
      const { bearerFor } = createBearers({ store: own, refresh, now });
      return {
        token: async (url: string, rejected?: string) =>
          (await bearerFor(WORKSPACE, [VAULT], url, ...(rejected ? [new Secret(rejected)] : [])))?.reveal() ?? null,
      };
    },
    async add(settings: CredentialSettings, secret: CredentialSecret): Promise<{ id: string; url: string }> {
      const id = `vcrd_${++count}`;
      const key = settings.type === "environment_variable" ? settings.secret_name : settings.mcp_server_url;
      await pool.query(
        `INSERT INTO vault_credentials (id, workspace_id, vault_id, type, key, metadata, settings, secret)
         VALUES ($1, $2, $3, $4, $5, '{}', $6, $7)`,
        [
          id,
          WORKSPACE,
          VAULT,
          settings.type,
          key,
          settings,
          await cipher.encrypt({ vaultId: VAULT, credentialId: id, dataKey }, secret),
        ],
      );
      return { id, url: key };
    },
    async stored(id: string) {
      const found = await store.find(WORKSPACE, VAULT, id);
      if (found?.secret.type !== "mcp_oauth" || found.settings.type !== "mcp_oauth") throw new Error(`${id} is gone`);
      return {
        ...found,
        accessToken: found.secret.access_token.reveal(),
        refreshToken: found.secret.refresh_token?.reveal() ?? null,
        expiresAt: found.settings.expires_at,
      };
    },
    async close() {
      await close();
      await database.drop();
    },
  };
}

export type McpCredentials = Awaited<ReturnType<typeof openMcpCredentials>>;

/** One that the server gave: its access token ends `expiresInMs` from now, null for never. */
export function oauthCredential(oauth: FakeOAuth, { url, expiresInMs }: { url: string; expiresInMs: number | null }) {
  const issued = oauth.issue();
  const settings: CredentialSettings = {
    type: "mcp_oauth",
    mcp_server_url: url,
    expires_at: expiresInMs === null ? null : new Date(Date.now() + expiresInMs).toISOString(),
    refresh: {
      client_id: oauth.clientId,
      token_endpoint: oauth.tokenEndpoint,
      token_endpoint_auth: { type: oauth.auth },
      scope: null,
      resource: null,
    },
  };
  const secret: CredentialSecret = {
    type: "mcp_oauth",
    access_token: new Secret(issued.accessToken),
    refresh_token: new Secret(issued.refreshToken),
    client_secret: oauth.auth === "none" ? null : new Secret(oauth.clientSecret),
  };
  return { ...issued, settings, secret };
}
