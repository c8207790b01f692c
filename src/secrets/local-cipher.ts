import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from "node:crypto";
import { isMasterKey } from "./master-key.ts";
import type { Secret } from "./secret.ts";
import { type SecretCipher, SecretUnreadableError } from "./secret-cipher.ts";

/** Format 1: version, key id, nonce, ciphertext, tag. AES-256-GCM, with the header and the context authenticated. */
const VERSION = 1;
const KEY_BYTES = 32;
const KEY_ID_BYTES = 8;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const HEADER_BYTES = 1 + KEY_ID_BYTES + NONCE_BYTES;

/**
 * A cipher with the installation's own key, in this process.
 * @param masterKey 32 bytes in base64
 */
export function createLocalCipher(masterKey: Secret): SecretCipher {
  if (!isMasterKey(masterKey.reveal())) throw new TypeError("A master key is 32 bytes in base64.");
  const key = derive(masterKey, "secrets: aes-256-gcm", KEY_BYTES);
  const keyId = derive(masterKey, "secrets: key id", KEY_ID_BYTES);

  return {
    async encrypt(plaintext, context) {
      const header = Buffer.concat([Buffer.of(VERSION), keyId, randomBytes(NONCE_BYTES)]);
      const cipher = createCipheriv("aes-256-gcm", key, nonceOf(header), { authTagLength: TAG_BYTES });
      cipher.setAAD(authenticated(header, context));
      return Buffer.concat([header, cipher.update(plaintext), cipher.final(), cipher.getAuthTag()]);
    },

    async decrypt(ciphertext, context) {
      const bytes = Buffer.from(ciphertext);
      assertReadable(bytes, keyId);
      const header = bytes.subarray(0, HEADER_BYTES);
      const decipher = createDecipheriv("aes-256-gcm", key, nonceOf(header), { authTagLength: TAG_BYTES });
      decipher.setAAD(authenticated(header, context));
      decipher.setAuthTag(bytes.subarray(-TAG_BYTES));
      const plaintext = decipher.update(bytes.subarray(HEADER_BYTES, -TAG_BYTES));
      try {
        return Buffer.concat([plaintext, decipher.final()]);
      } catch (error) {
        const what = "A stored secret was changed, or belongs to another row: its signature does not fit.";
        throw new SecretUnreadableError(what, { cause: error });
      }
    },

    isCurrent: async (ciphertext) => ciphertext[0] === VERSION && keyIdOf(Buffer.from(ciphertext)).equals(keyId),
  };
}

function assertReadable(bytes: Buffer, keyId: Buffer): void {
  if (bytes.length < HEADER_BYTES + TAG_BYTES) throw new SecretUnreadableError("A stored secret is cut short.");
  if (bytes[0] !== VERSION) {
    throw new SecretUnreadableError(
      `A stored secret has format ${bytes[0]}, which this version of Deckhand can't read.`,
    );
  }
  if (keyIdOf(bytes).equals(keyId)) return;
  throw new SecretUnreadableError(
    `A stored secret was encrypted with the master key ${keyIdOf(bytes).toString("hex")}, and this process has ` +
      `${keyId.toString("hex")}. Give it back the old key: DECKHAND_MASTER_KEY, or the file \`master-key\` in DECKHAND_HOME.`,
  );
}

/** Each use has a key of its own, so that none tells anything of another. */
const derive = (masterKey: Secret, use: string, bytes: number) =>
  Buffer.from(hkdfSync("sha256", Buffer.from(masterKey.reveal(), "base64"), "deckhand", use, bytes));

const keyIdOf = (bytes: Buffer) => bytes.subarray(1, 1 + KEY_ID_BYTES);
const nonceOf = (header: Buffer) => header.subarray(1 + KEY_ID_BYTES);
const authenticated = (header: Buffer, context: string) => Buffer.concat([header, Buffer.from(context)]);
