import type { Database } from "../database.ts";
import type { SecretCipher } from "../secrets/secret-cipher.ts";
import { createCredentialRecordStore } from "../vaults/credential-record-store.ts";
import { createCredentialStore, type CredentialStore } from "../vaults/credential-store.ts";
import { createCredentials, type Credentials } from "../vaults/credentials.ts";
import { createVaultCipher } from "../vaults/vault-cipher.ts";
import { createVaultStore } from "../vaults/vault-store.ts";
import { createVaults, type Vaults } from "../vaults/vaults.ts";

export interface VaultParts {
  vaults: Vaults;
  credentials: Credentials;
  /** With the secrets, for those who use them. */
  store: CredentialStore;
}

export function createVaultParts(
  { prisma, pool }: Pick<Database, "prisma" | "pool">,
  cipher: SecretCipher,
): VaultParts {
  const vaultCipher = createVaultCipher(cipher);
  const vaults = createVaults({ store: createVaultStore(prisma), cipher: vaultCipher });
  const store = createCredentialStore(pool, vaultCipher);
  const records = createCredentialRecordStore(prisma);
  return { vaults, credentials: createCredentials({ records, store, vaults, cipher: vaultCipher }), store };
}
