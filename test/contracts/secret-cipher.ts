import { randomBytes } from "node:crypto";
import { describe, expect, it } from "vitest";
import { type SecretCipher, SecretUnreadableError } from "../../src/secrets/secret-cipher.ts";

/** What a driver of the port has to show: two ciphers whose keys differ. */
export interface SecretCipherUnderTest {
  cipher: SecretCipher;
  /** As it would be after the key was replaced. */
  other: SecretCipher;
}

const CONTEXT = "slack_installations/T01/ciphertext";

export function secretCipherContract(name: string, open: () => Promise<SecretCipherUnderTest>): void {
  describe(`${name} keeps the contract of a secret cipher`, () => {
    it.each([0, 1, 31, 100_000])("gives back %i bytes exactly as they were", async (size) => {
      const { cipher } = await open();
      const plaintext = randomBytes(size);
      const ciphertext = await cipher.encrypt(plaintext, CONTEXT);
      expect(Buffer.from(await cipher.decrypt(ciphertext, CONTEXT)).equals(plaintext)).toBe(true);
    });

    it("shows nothing of what it encrypts, and not even that two are the same", async () => {
      const { cipher } = await open();
      const plaintext = Buffer.from("xoxb-hunter2-hunter2");
      const ciphertexts = await Promise.all([1, 2, 3].map(() => cipher.encrypt(plaintext, CONTEXT)));
      for (const ciphertext of ciphertexts) expect(Buffer.from(ciphertext).includes("hunter2")).toBe(false);
      expect(new Set(ciphertexts.map((bytes) => Buffer.from(bytes).toString("hex"))).size).toBe(3);
    });

    it("refuses a ciphertext in another row", async () => {
      const { cipher } = await open();
      const ciphertext = await cipher.encrypt(Buffer.from("secret"), CONTEXT);
      for (const context of ["", "slack_installations/T02/ciphertext", `${CONTEXT} `]) {
        await expect(cipher.decrypt(ciphertext, context)).rejects.toBeInstanceOf(SecretUnreadableError);
      }
    });

    it("refuses a ciphertext in which any bit was changed", async () => {
      const { cipher } = await open();
      const ciphertext = await cipher.encrypt(Buffer.from("secret"), CONTEXT);
      for (let bit = 0; bit < ciphertext.length * 8; bit += 1) {
        const changed = Buffer.from(ciphertext);
        const at = bit >> 3;
        changed.writeUInt8(changed.readUInt8(at) ^ (1 << (bit & 7)), at);
        await expect(cipher.decrypt(changed, CONTEXT)).rejects.toBeInstanceOf(SecretUnreadableError);
      }
    });

    it("refuses a ciphertext that was cut or grew", async () => {
      const { cipher } = await open();
      const ciphertext = await cipher.encrypt(Buffer.from("secret"), CONTEXT);
      for (let length = 0; length < ciphertext.length; length += 1) {
        const cut = cipher.decrypt(ciphertext.subarray(0, length), CONTEXT);
        await expect(cut).rejects.toBeInstanceOf(SecretUnreadableError);
      }
      const grown = cipher.decrypt(Buffer.concat([ciphertext, Buffer.of(0)]), CONTEXT);
      await expect(grown).rejects.toBeInstanceOf(SecretUnreadableError);
    });

    it("can't be read with another key, and says which one it was, but nothing of the secret", async () => {
      const { cipher, other } = await open();
      const ciphertext = await cipher.encrypt(Buffer.from("hunter2"), CONTEXT);
      const error: unknown = await other.decrypt(ciphertext, CONTEXT).catch((reason: unknown) => reason);
      expect(error).toBeInstanceOf(SecretUnreadableError);
      expect(String(error)).toMatch(/key/);
      expect(String(error)).not.toContain("hunter2");
    });

    it("knows what it would make itself now, whether or not it can read it", async () => {
      const { cipher, other } = await open();
      const ciphertext = await cipher.encrypt(Buffer.from("secret"), CONTEXT);
      expect(await cipher.isCurrent(ciphertext)).toBe(true);
      expect(await other.isCurrent(ciphertext)).toBe(false);
      expect(await cipher.isCurrent(new Uint8Array())).toBe(false);
    });
  });
}
