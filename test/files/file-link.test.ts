import { createHmac } from "node:crypto";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { readFileLink, signFileLink } from "../../src/files/file-link.ts";
import { newId } from "../../src/ids.ts";
import { Secret } from "../../src/secrets/secret.ts";

const KEY = new Secret("a key of at least thirty-two characters");
const LINK = { workspaceId: newId("wrkspc"), fileId: newId("file"), expiresAt: new Date(1_900_000_000_000) };
const TOKEN = signFileLink(LINK, KEY);

describe("a link's token", () => {
  it("says what it opens, whatever the ids", () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), fc.nat({ max: 4e9 }), (workspaceId, fileId, seconds) => {
        const link = { workspaceId, fileId, expiresAt: new Date(seconds * 1000) };
        expect(readFileLink(signFileLink(link, KEY), KEY)).toEqual(link);
      }),
    );
  });

  it("fits into a path of a URL as it is", () => {
    expect(TOKEN).toMatch(/^[\w-]+\.[\w-]+$/);
    expect(TOKEN.length).toBeLessThan(200);
  });

  it("opens nothing once any character of it is another, is missing or comes on top", () => {
    for (let at = 0; at < TOKEN.length; at += 1) {
      for (const other of ["A", "B", "z", "_", ".", ""]) {
        if (other === TOKEN[at]) continue;
        expect(readFileLink(TOKEN.slice(0, at) + other + TOKEN.slice(at + 1), KEY)).toBeNull();
      }
    }
    for (const more of [`${TOKEN}A`, `${TOKEN}.`, `${TOKEN}=`, ` ${TOKEN}`, `${TOKEN}.${TOKEN}`, "", ".", "a.b"]) {
      expect(readFileLink(more, KEY)).toBeNull();
    }
  });

  it("opens nothing with another key, nor with a signature that was made for something else", () => {
    expect(readFileLink(TOKEN, new Secret("another key of thirty-two characters"))).toBeNull();
    const [payload = ""] = TOKEN.split(".");
    const plain = createHmac("sha256", KEY.reveal()).update(payload).digest("base64url");
    expect(readFileLink(`${payload}.${plain}`, KEY)).toBeNull();
  });

  it("gives no file of one link the time of another", () => {
    const other = signFileLink({ ...LINK, expiresAt: new Date(2_000_000_000_000) }, KEY);
    const mixed = `${other.split(".")[0]}.${TOKEN.split(".")[1]}`;
    expect(readFileLink(mixed, KEY)).toBeNull();
  });
});
