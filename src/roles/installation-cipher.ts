import { createLocalCipher, UnknownKeyError } from "../secrets/local-cipher.ts";
import type { SecretCipher } from "../secrets/secret-cipher.ts";
import { type MasterKeySettings, openMasterKey } from "./master-key.ts";

/**
 * The cipher of this installation's secrets. It lives through a replacement of the home's key by another process: a
 * ciphertext of a key that it does not know makes it look for new ones.
 * @throws Error that names the file when what it holds is no key
 */
export async function openCipher(settings: MasterKeySettings): Promise<SecretCipher> {
  const open = async () => {
    const { current, previous } = await openMasterKey(settings);
    return createLocalCipher(current, previous);
  };
  let cipher = await open();

  return {
    encrypt: (plaintext, context) => cipher.encrypt(plaintext, context),
    isCurrent: (ciphertext) => cipher.isCurrent(ciphertext),
    async decrypt(ciphertext, context) {
      try {
        return await cipher.decrypt(ciphertext, context);
      } catch (error) {
        if (!(error instanceof UnknownKeyError)) throw error;
      }
      cipher = await open();
      return cipher.decrypt(ciphertext, context);
    },
  };
}
