import { randomBytes } from "node:crypto";
import { type SecretCipher, SecretUnreadableError } from "../secrets/secret-cipher.ts";
import { seal, sealedWith, SEALING_KEY_BYTES, type SealingKey, sealingKey, unseal } from "../secrets/sealed-bytes.ts";
import { type CredentialSecret, parseCredentialSecret, serializeCredentialSecret } from "./credential-secret.ts";

/** Where a credential's secret belongs: a ciphertext that is moved to another row, or another vault, can't be read there. */
export interface SecretPlace {
  vaultId: string;
  credentialId: string;
  /** The vault's own, as it is stored. */
  dataKey: Uint8Array;
}

/**
 * Encrypts what vaults hold: each vault has a random key of its own, which is stored encrypted by the installation's
 * cipher. So the installation's key can be replaced without touching a credential, and what a vault held is gone with it.
 */
export interface VaultCipher {
  /** A new key for a vault, encrypted. */
  newDataKey(vaultId: string): Promise<Uint8Array<ArrayBuffer>>;
  encrypt(place: SecretPlace, secret: CredentialSecret): Promise<Uint8Array<ArrayBuffer>>;
  /** @throws SecretUnreadableError for what was changed or moved, and for a key that is not there */
  decrypt(place: SecretPlace, ciphertext: Uint8Array): Promise<CredentialSecret>;
}

export function createVaultCipher(installation: SecretCipher): VaultCipher {
  const open = async ({ vaultId, dataKey }: SecretPlace): Promise<SealingKey> =>
    sealingKey(await installation.decrypt(dataKey, dataKeyContext(vaultId)));

  return {
    newDataKey: (vaultId) => installation.encrypt(randomBytes(SEALING_KEY_BYTES), dataKeyContext(vaultId)),

    encrypt: async (place, secret) =>
      seal(await open(place), serializeCredentialSecret(secret), secretContext(place.credentialId)),

    async decrypt(place, ciphertext) {
      const key = await open(place);
      if (sealedWith(ciphertext) !== key.id) {
        throw new SecretUnreadableError(`The secret of ${place.credentialId} was encrypted with another vault's key.`);
      }
      return parseCredentialSecret(unseal(key, ciphertext, secretContext(place.credentialId)));
    },
  };
}

/** What a vault's stored data key is bound to. */
export const dataKeyContext = (vaultId: string): string => `vaults/${vaultId}/data_key`;

const secretContext = (credentialId: string) => `vault_credentials/${credentialId}/secret`;
