/**
 * Encrypts what is secret before it is stored.
 *
 * Contract, checked by `test/contracts/secret-cipher.ts`:
 * - `context` names the row and column that the bytes belong to, such as `slack_installations/T01/ciphertext`. It is not
 *   secret and not stored; whoever decrypts must give the same one, so a ciphertext that is moved to another row can't be
 *   read there;
 * - each `encrypt` of the same bytes gives another ciphertext, which says by itself in which format and with which key it
 *   was made;
 * - `decrypt` gives back exactly what was encrypted, or throws `SecretUnreadableError`: for a ciphertext that was changed
 *   or cut, another context, and a key that this cipher does not have. Never does it give wrong bytes;
 * - `isCurrent` tells whether `encrypt` would use the same format and key now: what is not current is still read, but due
 *   to be encrypted again. It does not check whether the ciphertext can be read.
 *
 * A driver may ask a service for it, so any call can take time and can fail; such a failure is not a
 * `SecretUnreadableError`.
 */
export interface SecretCipher {
  encrypt(plaintext: Uint8Array, context: string): Promise<Uint8Array<ArrayBuffer>>;
  decrypt(ciphertext: Uint8Array, context: string): Promise<Uint8Array<ArrayBuffer>>;
  isCurrent(ciphertext: Uint8Array): Promise<boolean>;
}

/** A stored secret that can't be read, however often one tries. The message holds nothing of it. */
export class SecretUnreadableError extends Error {
  override readonly name = "SecretUnreadableError";
}
