import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from "node:crypto";
import { SecretUnreadableError } from "./secret-cipher.ts";

/** Format 1: version, key id, nonce, ciphertext, tag. AES-256-GCM, with the header and the context authenticated. */
const VERSION = 1;
const KEY_ID_BYTES = 8;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const HEADER_BYTES = 1 + KEY_ID_BYTES + NONCE_BYTES;

export const SEALING_KEY_BYTES = 32;

/** A key of AES-256-GCM, and what ciphertexts call it by. */
export interface SealingKey {
  id: string;
  bytes: Buffer;
}

/** Both parts of a key come of one root, and neither tells anything of it. @param root 32 random bytes */
export function sealingKey(root: Uint8Array): SealingKey {
  const derive = (use: string, bytes: number) => Buffer.from(hkdfSync("sha256", root, "deckhand", use, bytes));
  return {
    id: derive("secrets: key id", KEY_ID_BYTES).toString("hex"),
    bytes: derive("secrets: aes-256-gcm", SEALING_KEY_BYTES),
  };
}

export function seal(key: SealingKey, plaintext: Uint8Array, context: string): Uint8Array<ArrayBuffer> {
  const header = Buffer.concat([Buffer.of(VERSION), Buffer.from(key.id, "hex"), randomBytes(NONCE_BYTES)]);
  const cipher = createCipheriv("aes-256-gcm", key.bytes, nonceOf(header), { authTagLength: TAG_BYTES });
  cipher.setAAD(authenticated(header, context));
  return Buffer.concat([header, cipher.update(plaintext), cipher.final(), cipher.getAuthTag()]);
}

/** The id of the key that was used. @throws SecretUnreadableError for bytes that are no ciphertext of this format */
export function sealedWith(ciphertext: Uint8Array): string {
  const bytes = Buffer.from(ciphertext);
  if (bytes.length < HEADER_BYTES + TAG_BYTES) throw new SecretUnreadableError("A stored secret is cut short.");
  if (bytes[0] !== VERSION) {
    throw new SecretUnreadableError(
      `A stored secret has format ${bytes[0]}, which this version of Deckhand can't read.`,
    );
  }
  return bytes.subarray(1, 1 + KEY_ID_BYTES).toString("hex");
}

/**
 * @param key the one that `sealedWith` names
 * @throws SecretUnreadableError for a ciphertext that was changed, and another context
 */
export function unseal(key: SealingKey, ciphertext: Uint8Array, context: string): Uint8Array<ArrayBuffer> {
  const bytes = Buffer.from(ciphertext);
  const header = bytes.subarray(0, HEADER_BYTES);
  const decipher = createDecipheriv("aes-256-gcm", key.bytes, nonceOf(header), { authTagLength: TAG_BYTES });
  decipher.setAAD(authenticated(header, context));
  decipher.setAuthTag(bytes.subarray(-TAG_BYTES));
  const plaintext = decipher.update(bytes.subarray(HEADER_BYTES, -TAG_BYTES));
  try {
    return Buffer.concat([plaintext, decipher.final()]);
  } catch (error) {
    const what = "A stored secret was changed, or belongs to another row: its signature does not fit.";
    throw new SecretUnreadableError(what, { cause: error });
  }
}

const nonceOf = (header: Buffer) => header.subarray(1 + KEY_ID_BYTES);
const authenticated = (header: Buffer, context: string) => Buffer.concat([header, Buffer.from(context)]);
