import { mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { openLinkKey } from "../../src/roles/link-key.ts";
import { Secret } from "../../src/secrets/secret.ts";

describe("the key of links", () => {
  let home: string;
  beforeEach(async () => {
    home = await mkdtemp(path.join(tmpdir(), "deckhand-home-"));
  });
  afterEach(() => rm(home, { recursive: true }));

  it("is made once for all processes of a home, and only the owner can read it", async () => {
    const keys = await Promise.all([1, 2, 3].map(() => openLinkKey({ linkKey: null, home })));
    expect(new Set(keys.map((key) => key.reveal())).size).toBe(1);
    expect(keys[0]?.reveal()).toMatch(/^[\w-]{43}$/);
    expect((await stat(path.join(home, "link-key"))).mode & 0o777).toBe(0o600);
  });

  it("that is given is taken, and none is made", async () => {
    const linkKey = new Secret("x".repeat(32));
    expect(await openLinkKey({ linkKey, home })).toBe(linkKey);
    await expect(readFile(path.join(home, "link-key"))).rejects.toMatchObject({ code: "ENOENT" });
  });

  it("that was spoiled is refused: an empty one would let anybody sign", async () => {
    await writeFile(path.join(home, "link-key"), "\n");
    await expect(openLinkKey({ linkKey: null, home })).rejects.toThrow(path.join(home, "link-key"));
  });
});
