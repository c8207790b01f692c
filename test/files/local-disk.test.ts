import { mkdir, mkdtemp, readdir, rm, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { createLocalDiskBlobStore } from "../../src/files/local-disk.ts";
import { blobStoreContract } from "../contracts/blob-store.ts";

const made: string[] = [];
afterEach(async () => {
  for (const directory of made.splice(0)) await rm(directory, { recursive: true });
});

blobStoreContract("the local disk", async () => {
  const directory = await newDirectory();
  return {
    blobs: await createLocalDiskBlobStore(directory),
    async count() {
      const entries = await readdir(directory, { recursive: true, withFileTypes: true });
      return entries.filter((entry) => entry.isFile()).length;
    },
  };
});

describe("the local disk", () => {
  it("clears away what a process that died long ago left half-written, and nothing that may be under way", async () => {
    const directory = await newDirectory();
    const unfinished = path.join(directory, "unfinished");
    await mkdir(unfinished);
    for (const name of ["old", "new"]) await writeFile(path.join(unfinished, name), "x");
    const longAgo = new Date(Date.now() - 25 * 60 * 60 * 1000);
    await utimes(path.join(unfinished, "old"), longAgo, longAgo);
    await createLocalDiskBlobStore(directory);
    expect(await readdir(unfinished)).toEqual(["new"]);
  });
});

async function newDirectory(): Promise<string> {
  const directory = await mkdtemp(path.join(tmpdir(), "deckhand-blobs-"));
  made.push(directory);
  return directory;
}
