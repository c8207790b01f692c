import { describe, expect, it } from "vitest";
import { createLocalCipher } from "../../src/secrets/local-cipher.ts";
import { newMasterKey } from "../../src/secrets/master-key.ts";
import { SecretUnreadableError } from "../../src/secrets/secret-cipher.ts";
import { Secret } from "../../src/secrets/secret.ts";
import { secretCipherContract } from "../contracts/secret-cipher.ts";

const FIXED = new Secret(Buffer.alloc(32, 7).toString("base64"));

secretCipherContract("the local cipher", async () => ({
  cipher: createLocalCipher(new Secret(newMasterKey())),
  other: createLocalCipher(new Secret(newMasterKey())),
}));

describe("the local cipher", () => {
  it("reads what an earlier process wrote", async () => {
    const written = "AccxJjQwImL0LzhArgR7vVyzSiHprcmalzq5i8nODcaIpI5ejJQ2zQvwUw==";
    const plaintext = await createLocalCipher(FIXED).decrypt(Buffer.from(written, "base64"), "row/1");
    expect(Buffer.from(plaintext).toString()).toBe("xoxb-1");
  });

  it("says that a format is not known, and which keys there are", async () => {
    const cipher = createLocalCipher(FIXED);
    const ciphertext = await cipher.encrypt(Buffer.from("x"), "row/1");
    await expect(cipher.decrypt(Buffer.concat([Buffer.of(9), ciphertext.subarray(1)]), "row/1")).rejects.toThrow(
      "format 9",
    );
    const keyId = Buffer.from(ciphertext.subarray(1, 9)).toString("hex");
    const later = createLocalCipher(new Secret(newMasterKey()));
    await expect(later.decrypt(ciphertext, "row/1")).rejects.toThrow(keyId);
  });

  it("reads what an earlier key encrypted where it is told of it, and is due to encrypt it again", async () => {
    const next = new Secret(newMasterKey());
    const ciphertext = await createLocalCipher(FIXED).encrypt(Buffer.from("xoxb-1"), "row/1");
    const cipher = createLocalCipher(next, [FIXED]);
    expect(Buffer.from(await cipher.decrypt(ciphertext, "row/1")).toString()).toBe("xoxb-1");
    await expect(cipher.decrypt(ciphertext, "row/2")).rejects.toBeInstanceOf(SecretUnreadableError);
    expect(await cipher.isCurrent(ciphertext)).toBe(false);

    const again = await cipher.encrypt(Buffer.from("xoxb-1"), "row/1");
    expect(await cipher.isCurrent(again)).toBe(true);
    expect(Buffer.from(await createLocalCipher(next).decrypt(again, "row/1")).toString()).toBe("xoxb-1");
  });

  it("takes no key that is not 32 bytes", () => {
    for (const key of ["", "hunter2", Buffer.alloc(31).toString("base64"), Buffer.alloc(33).toString("base64")]) {
      expect(() => createLocalCipher(new Secret(key))).toThrow(/^A master key is 32 bytes in base64\.$/);
    }
  });
});
