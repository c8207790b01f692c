import { createHash, randomBytes } from "node:crypto";
import { setImmediate } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { BlobMissingError, type BlobStore } from "../../src/files/blob-store.ts";

/** What a driver of the port has to show beside its store. */
export interface BlobStoreUnderTest {
  blobs: BlobStore;
  /** How many blobs, whole or in part, take up space. */
  count(): Promise<number>;
}

export function blobStoreContract(name: string, open: () => Promise<BlobStoreUnderTest>): void {
  describe(`${name} keeps the contract of a blob store`, () => {
    it("gives back what it was given, whatever the pieces, and says what it was", async () => {
      const { blobs } = await open();
      const content = randomBytes(300_000);
      const stored = await blobs.put(pieces(content, 7_001));
      expect(stored.sizeBytes).toBe(content.length);
      expect(stored.sha256).toBe(createHash("sha256").update(content).digest("hex"));
      expect((await read(blobs, stored.key)).equals(content)).toBe(true);
    });

    it("keeps nothing at all, too", async () => {
      const { blobs } = await open();
      const { key, sizeBytes } = await blobs.put(pieces(Buffer.alloc(0), 1));
      expect(sizeBytes).toBe(0);
      expect(await read(blobs, key)).toHaveLength(0);
    });

    it("gives every put a key of its own, so that one can go and the other stays", async () => {
      const { blobs } = await open();
      const content = randomBytes(1_000);
      const [first, second] = await Promise.all([blobs.put(pieces(content, 100)), blobs.put(pieces(content, 100))]);
      expect(first.key).not.toBe(second.key);
      await blobs.delete(first.key);
      expect((await read(blobs, second.key)).equals(content)).toBe(true);
    });

    it("keeps nothing of a stream that fails, and says why", async () => {
      const { blobs, count } = await open();
      const reason = new Error("the sender went away");
      async function* failing() {
        yield randomBytes(1_000);
        await setImmediate();
        throw reason;
      }
      await expect(blobs.put(failing())).rejects.toBe(reason);
      expect(await count()).toBe(0);
    });

    it("says that a blob is missing before any byte is read", async () => {
      const { blobs } = await open();
      const { key } = await blobs.put(pieces(Buffer.from("x"), 1));
      await blobs.delete(key);
      for (const missing of [key, "", "../../etc/passwd", "nope"]) {
        await expect(blobs.open(missing)).rejects.toBeInstanceOf(BlobMissingError);
      }
    });

    it("deletes as often as it is asked to, and frees the space", async () => {
      const { blobs, count } = await open();
      const { key } = await blobs.put(pieces(Buffer.from("x"), 1));
      expect(await count()).toBe(1);
      await blobs.delete(key);
      await blobs.delete(key);
      expect(await count()).toBe(0);
    });

    it("lets a stream that is open be read to its end", async () => {
      const { blobs } = await open();
      const content = randomBytes(500_000);
      const { key } = await blobs.put(pieces(content, 50_000));
      const stream = await blobs.open(key);
      await blobs.delete(key);
      expect((await collect(stream)).equals(content)).toBe(true);
    });
  });
}

const read = async (blobs: BlobStore, key: string) => collect(await blobs.open(key));

async function collect(stream: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const chunks = [];
  for await (const chunk of stream) chunks.push(chunk);
  return Buffer.concat(chunks);
}

async function* pieces(content: Buffer, size: number) {
  for (let start = 0; start < content.length; start += size) yield content.subarray(start, start + size);
}
