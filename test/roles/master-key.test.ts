import { mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { openMasterKey } from "../../src/roles/master-key.ts";
import { createLocalCipher } from "../../src/secrets/local-cipher.ts";
import { newMasterKey } from "../../src/secrets/master-key.ts";
import { Secret } from "../../src/secrets/secret.ts";

describe("the master key", () => {
  let home: string;
  beforeEach(async () => {
    home = await mkdtemp(path.join(tmpdir(), "deckhand-home-"));
  });
  afterEach(() => rm(home, { recursive: true }));
  const settings = (masterKey: Secret | null = null) => ({ masterKey, masterKeysPrevious: [], home });

  it("is made once for all processes of a home, and only the owner can read it", async () => {
    const keys = await Promise.all([1, 2, 3].map(() => openMasterKey(settings())));
    expect(new Set(keys.map(({ current }) => current.reveal())).size).toBe(1);
    expect((await stat(path.join(home, "master-key"))).mode & 0o777).toBe(0o600);
    const [first, second] = keys.map(({ current }) => createLocalCipher(current));
    const ciphertext = await first?.encrypt(Buffer.from("secret"), "row");
    expect(Buffer.from((await second?.decrypt(ciphertext ?? Buffer.of(), "row")) ?? []).toString()).toBe("secret");
  });

  it("that is given is taken, and none is made", async () => {
    const masterKey = new Secret(newMasterKey());
    expect((await openMasterKey(settings(masterKey))).current).toBe(masterKey);
    await expect(readFile(path.join(home, "master-key"))).rejects.toMatchObject({ code: "ENOENT" });
  });

  it("that was spoiled is refused and not replaced, by the name of its file", async () => {
    await writeFile(path.join(home, "master-key"), "hunter2\n");
    const opening = openMasterKey(settings());
    await expect(opening).rejects.toThrow(path.join(home, "master-key"));
    await expect(opening).rejects.not.toThrow("hunter2");
    expect(await readFile(path.join(home, "master-key"), "utf8")).toBe("hunter2\n");
  });
});
