import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach } from "vitest";
import { createLocalDiskBlobStore } from "../../src/files/local-disk.ts";
import { blobStoreContract } from "../contracts/blob-store.ts";

const made: string[] = [];
afterEach(async () => {
  for (const directory of made.splice(0)) await rm(directory, { recursive: true });
});

blobStoreContract("the local disk", async () => {
  const directory = await mkdtemp(path.join(tmpdir(), "deckhand-blobs-"));
  made.push(directory);
  return {
    blobs: await createLocalDiskBlobStore(directory),
    async count() {
      const entries = await readdir(directory, { recursive: true, withFileTypes: true });
      return entries.filter((entry) => entry.isFile()).length;
    },
  };
});
