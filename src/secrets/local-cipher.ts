import { isMasterKey } from "./master-key.ts";
import { seal, sealedWith, type SealingKey, sealingKey, unseal } from "./sealed-bytes.ts";
import type { Secret } from "./secret.ts";
import { type SecretCipher, SecretUnreadableError } from "./secret-cipher.ts";

/** What was stored is of a key that this process has not. Another key may read it. */
export class UnknownKeyError extends SecretUnreadableError {}

/**
 * A cipher with the installation's own key, in this process.
 * @param masterKey 32 bytes in base64
 * @param others earlier keys, and one to come: what they encrypted is read, and is not current
 */
export function createLocalCipher(masterKey: Secret, others: readonly Secret[] = []): SecretCipher {
  const key = keyOf(masterKey);
  const readable = new Map([key, ...others.map(keyOf)].map((each) => [each.id, each]));

  return {
    encrypt: async (plaintext, context) => seal(key, plaintext, context),

    async decrypt(ciphertext, context) {
      const keyId = sealedWith(ciphertext);
      const used = readable.get(keyId);
      if (used) return unseal(used, ciphertext, context);
      throw new UnknownKeyError(
        `A stored secret was encrypted with the master key ${keyId}, and this process has ` +
          `${[...readable.keys()].join(", ")}. Give it back the old key: DECKHAND_MASTER_KEY_PREVIOUS, or the file ` +
          "`master-key` or `master-key.previous` in DECKHAND_HOME.",
      );
    },

    async isCurrent(ciphertext) {
      try {
        return sealedWith(ciphertext) === key.id;
      } catch (error) {
        if (error instanceof SecretUnreadableError) return false;
        throw error;
      }
    },
  };
}

/** What ciphertexts call a master key by. It tells nothing of the key. */
export const keyIdOf = (masterKey: Secret): string => keyOf(masterKey).id;

function keyOf(masterKey: Secret): SealingKey {
  const text = masterKey.reveal();
  if (!isMasterKey(text)) throw new TypeError("A master key is 32 bytes in base64.");
  return sealingKey(Buffer.from(text, "base64"));
}
