import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { createDatabase, type Database } from "../../src/database.ts";
import { createVaultParts, type VaultParts } from "../../src/roles/vault-parts.ts";
import { createLocalCipher } from "../../src/secrets/local-cipher.ts";
import { newMasterKey } from "../../src/secrets/master-key.ts";
import { Secret } from "../../src/secrets/secret.ts";
import { createSessionVariables } from "../../src/vaults/session-variables-store.ts";
import { createVaultCipher, type SecretPlace } from "../../src/vaults/vault-cipher.ts";
import { createTestDatabase, type TestDatabase } from "../support/database.ts";

const OWNER = "wrkspc_a";

let testDatabase: TestDatabase;
let database: Database;
let parts: VaultParts;
let credentials: ReturnType<typeof createSessionVariables>;
/** Credentials that were decrypted, in order. */
let decrypted: string[];
let vaultIds: string[];
beforeAll(async () => {
  testDatabase = await createTestDatabase();
  database = createDatabase(testDatabase.url, () => undefined);
  const cipher = createLocalCipher(new Secret(newMasterKey()));
  parts = createVaultParts(database, cipher);
  const vaultCipher = createVaultCipher(cipher);
  credentials = createSessionVariables(database.pool, {
    decrypt(place: SecretPlace, ciphertext) {
      decrypted.push(place.credentialId);
      return vaultCipher.decrypt(place, ciphertext);
    },
  });
});
afterAll(async () => {
  await database.close();
  await testDatabase.drop();
});
beforeEach(async () => {
  decrypted = [];
  vaultIds = [];
  for (const display_name of ["first", "second"]) {
    vaultIds.push((await parts.vaults.create(OWNER, { display_name })).id);
  }
});

const add = async (vault: number, secret_name: string, secret_value: string, more: object = {}) => {
  const auth = {
    type: "environment_variable" as const,
    secret_name,
    secret_value,
    networking: { type: "unrestricted" as const },
    ...more,
  };
  return (await parts.credentials.create(OWNER, vaultIds[vault] ?? "", { auth })).id;
};
const replace = (vault: number, id: string, secret_value: string) =>
  parts.credentials.update(OWNER, vaultIds[vault] ?? "", id, { auth: { type: "environment_variable", secret_value } });
const values = async (owner = OWNER, ids = vaultIds) =>
  (await credentials.variables(owner, ids)).map(({ secretName, value }) => `${secretName}=${value.reveal()}`);

describe("the variables of a session", () => {
  it("are those of its vaults in their order, and of two with one name the first vault's", async () => {
    const only = {
      networking: { type: "limited", allowed_hosts: ["api.example.com"] },
      injection_location: { body: true },
    };
    const shared = await add(1, "SHARED", "second-value");
    await add(0, "FIRST", "first-own");
    expect(await values()).toEqual(["FIRST=first-own", "SHARED=second-value"]);
    const winner = await add(0, "SHARED", "first-value", only);
    expect(await values()).toEqual(["FIRST=first-own", "SHARED=first-value"]);
    expect((await credentials.variables(OWNER, vaultIds))[1]).toMatchObject({
      credentialId: winner,
      vaultId: vaultIds[0],
      hosts: ["api.example.com"],
      injection: { header: false, body: true },
    });
    const [first] = await credentials.variables(OWNER, vaultIds.toReversed());
    expect(first).toMatchObject({ credentialId: shared, hosts: null, injection: { header: true, body: true } });
  });

  it("are decrypted once for as long as they stay the same, and a new value counts at once", async () => {
    const id = await add(0, "TOKEN", "old-value");
    for (const _ of [1, 2, 3]) expect(await values()).toEqual(["TOKEN=old-value"]);
    expect(decrypted).toEqual([id]);
    await replace(0, id, "new-value");
    expect(await values()).toEqual(["TOKEN=new-value"]);
    expect(decrypted).toEqual([id, id]);
  });

  it("end at once when the credential or its vault is archived or deleted", async () => {
    const archived = await add(0, "ARCHIVED", "archived-value");
    const deleted = await add(0, "DELETED", "deleted-value");
    await add(1, "VAULT", "vault-value");
    expect(await values()).toHaveLength(3);
    await parts.credentials.archive(OWNER, vaultIds[0] ?? "", archived);
    await parts.credentials.delete(OWNER, vaultIds[0] ?? "", deleted);
    expect(await values()).toEqual(["VAULT=vault-value"]);
    await parts.vaults.archive(OWNER, vaultIds[1] ?? "");
    expect(await values()).toEqual([]);
  });

  it("are not another workspace's, even where its session names the vault", async () => {
    await add(0, "TOKEN", "owner-value");
    expect(await values("wrkspc_b")).toEqual([]);
    expect(await values(OWNER, [])).toEqual([]);
  });
});

describe("the token for an MCP server", () => {
  const url = "https://mcp.example.com/sse";
  const bearer = (vault: number, token: string) =>
    parts.credentials.create(OWNER, vaultIds[vault] ?? "", {
      auth: { type: "static_bearer", mcp_server_url: url, token },
    });
  const oauth = (vault: number) =>
    parts.credentials.create(OWNER, vaultIds[vault] ?? "", {
      auth: { type: "mcp_oauth", mcp_server_url: url, access_token: "access-1" },
    });

  it("is of the vault named first, whatever the type, and of nobody else's", async () => {
    const second = await bearer(1, "bearer-2");
    expect(await parts.store.findBearer(OWNER, vaultIds, "https://MCP.example.com:443/sse")).toMatchObject({
      id: second.id,
    });
    const first = await oauth(0);
    const found = await parts.store.findBearer(OWNER, vaultIds, url);
    expect(found).toMatchObject({ id: first.id, vaultId: vaultIds[0], type: "mcp_oauth", version: 1 });
    expect(found?.secret.type === "mcp_oauth" && found.secret.access_token.reveal()).toBe("access-1");
    expect(await parts.store.findBearer("wrkspc_b", vaultIds, url)).toBeNull();
    expect(await parts.store.findBearer(OWNER, vaultIds, `${url}/other`)).toBeNull();
    await parts.credentials.archive(OWNER, vaultIds[0] ?? "", first.id);
    expect(await parts.store.findBearer(OWNER, vaultIds, url)).toMatchObject({ id: second.id });
  });

  it("is refreshed by one at a time, who writes over nothing that he has not seen", async () => {
    const { id } = await oauth(0);
    const { store } = parts;
    const find = () => store.find(OWNER, vaultIds[0] ?? "", id);
    const soon = Date.now() + 60_000;
    const claims = await Promise.all([1, 2, 3].map(() => store.claimRefresh(id, 1, soon)));
    expect(claims.filter(Boolean)).toHaveLength(1);
    await store.releaseRefresh(id, 1);
    expect(await store.claimRefresh(id, 1, Date.now() - 1)).toBe(true);
    expect(await store.claimRefresh(id, 1, soon)).toBe(true);

    const secret = {
      type: "mcp_oauth" as const,
      access_token: new Secret("access-2"),
      refresh_token: null,
      client_secret: null,
    };
    const expiresAt = new Date("2100-01-01T00:00:00Z");
    expect(await store.saveRefreshed(id, 1, { secret, expiresAt })).toBe(true);
    expect(await find()).toMatchObject({
      version: 2,
      refreshingUntil: null,
      settings: { expires_at: expiresAt.toISOString() },
    });
    expect(await store.saveRefreshed(id, 1, { secret, expiresAt: null })).toBe(false);
    expect(await store.claimRefresh(id, 1, soon)).toBe(false);
    await store.refuseRefresh(id, 1);
    expect((await find())?.refreshRefusedAt).toBeNull();
    await store.refuseRefresh(id, 2);
    expect((await find())?.refreshRefusedAt).toBeInstanceOf(Date);

    const auth = { type: "mcp_oauth" as const, access_token: "access-3" };
    await parts.credentials.update(OWNER, vaultIds[0] ?? "", id, { auth });
    expect(await find()).toMatchObject({ version: 3, refreshRefusedAt: null });
    await parts.credentials.update(OWNER, vaultIds[0] ?? "", id, { display_name: "a name changes no token" });
    expect(await store.saveRefreshed(id, 3, { secret, expiresAt: null })).toBe(true);
  });
});
