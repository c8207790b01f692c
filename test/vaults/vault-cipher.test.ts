import { describe, expect, it } from "vitest";
import { createLocalCipher } from "../../src/secrets/local-cipher.ts";
import { newMasterKey } from "../../src/secrets/master-key.ts";
import { SecretUnreadableError } from "../../src/secrets/secret-cipher.ts";
import { Secret } from "../../src/secrets/secret.ts";
import type { CredentialSecret } from "../../src/vaults/credential-secret.ts";
import { createVaultCipher, dataKeyContext } from "../../src/vaults/vault-cipher.ts";

const CANARY = "canary-of-a-vault";
const oauth: CredentialSecret = {
  type: "mcp_oauth",
  access_token: new Secret(CANARY),
  refresh_token: new Secret(`${CANARY}-refresh`),
  client_secret: null,
};

describe("what a vault encrypts", () => {
  const installation = createLocalCipher(new Secret(newMasterKey()));
  const cipher = createVaultCipher(installation);
  const place = async (vaultId: string, credentialId: string) => ({
    vaultId,
    credentialId,
    dataKey: await cipher.newDataKey(vaultId),
  });

  it("comes back as it was, field by field, and shows nothing meanwhile", async () => {
    const here = await place("vlt_1", "vcrd_1");
    const ciphertext = await cipher.encrypt(here, oauth);
    expect(Buffer.from(ciphertext).includes("canary")).toBe(false);
    const secret = await cipher.decrypt(here, ciphertext);
    if (secret.type !== "mcp_oauth") throw new Error("it has another type");
    expect(secret.access_token.reveal()).toBe(CANARY);
    expect(secret.refresh_token?.reveal()).toBe(`${CANARY}-refresh`);
    expect(secret.client_secret).toBeNull();
    expect(JSON.stringify(secret)).not.toContain("canary");
  });

  it("can't be read in another credential's row", async () => {
    const here = await place("vlt_1", "vcrd_1");
    const ciphertext = await cipher.encrypt(here, oauth);
    const moved = cipher.decrypt({ ...here, credentialId: "vcrd_2" }, ciphertext);
    await expect(moved).rejects.toBeInstanceOf(SecretUnreadableError);
  });

  it("can't be read with another vault's key, nor with its own key in another vault's row", async () => {
    const here = await place("vlt_1", "vcrd_1");
    const other = await place("vlt_2", "vcrd_1");
    const ciphertext = await cipher.encrypt(here, oauth);
    await expect(cipher.decrypt(other, ciphertext)).rejects.toBeInstanceOf(SecretUnreadableError);
    const stolen = cipher.decrypt({ ...here, vaultId: "vlt_2" }, ciphertext);
    await expect(stolen).rejects.toBeInstanceOf(SecretUnreadableError);
  });

  it("has a key of its own for each vault", async () => {
    const keys = await Promise.all(["vlt_1", "vlt_1"].map((id) => cipher.newDataKey(id)));
    const clear = await Promise.all(keys.map((key) => installation.decrypt(key, dataKeyContext("vlt_1"))));
    expect(new Set(clear.map((key) => Buffer.from(key).toString("hex"))).size).toBe(2);
    expect(clear.map((key) => key.length)).toEqual([32, 32]);
  });
});
