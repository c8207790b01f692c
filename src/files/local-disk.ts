import { createHash, randomBytes } from "node:crypto";
import { type FileHandle, mkdir, open, readdir, rename, rm, stat } from "node:fs/promises";
import path from "node:path";
import { BlobMissingError, type BlobStore } from "./blob-store.ts";

const KEY = /^[0-9a-f]{64}-[0-9a-f]{16}$/;
const KEY_SUFFIX_BYTES = 8;
/** Much longer than a draft can go without a write: other processes may be writing theirs. */
const ABANDONED_AFTER_MS = 24 * 60 * 60 * 1000;

/** Keeps each blob as one file under `directory`, which it makes. A key starts with the SHA-256 of the bytes. */
export async function createLocalDiskBlobStore(directory: string): Promise<BlobStore> {
  const unfinished = path.join(directory, "unfinished");
  await mkdir(unfinished, { recursive: true, mode: 0o700 });
  await removeAbandoned(unfinished);

  const placeOf = (key: string) => {
    if (!KEY.test(key)) throw new BlobMissingError(key);
    return path.join(directory, key.slice(0, 2), key);
  };

  return {
    async put(content) {
      const suffix = randomBytes(KEY_SUFFIX_BYTES).toString("hex");
      const draft = path.join(unfinished, suffix);
      try {
        const { sizeBytes, sha256 } = await writeThrough(draft, content);
        const key = `${sha256}-${suffix}`;
        const place = placeOf(key);
        await mkdir(path.dirname(place), { recursive: true, mode: 0o700 });
        await rename(draft, place);
        await syncDirectory(path.dirname(place));
        return { key, sizeBytes, sha256 };
      } catch (error) {
        await rm(draft, { force: true });
        throw error;
      }
    },

    async open(key) {
      const file = await openToRead(placeOf(key), key);
      return file.createReadStream();
    },

    async delete(key) {
      await rm(placeOf(key), { force: true });
    },
  };
}

/** A key is given only after the rename, so what a process that died left here is nobody's. */
async function removeAbandoned(unfinished: string): Promise<void> {
  for (const name of await readdir(unfinished)) {
    const draft = path.join(unfinished, name);
    const stats = await stat(draft).catch(nullIfMissing);
    if (stats && Date.now() - stats.mtimeMs > ABANDONED_AFTER_MS) await rm(draft, { force: true });
  }
}

async function writeThrough(target: string, content: AsyncIterable<Uint8Array>) {
  const hash = createHash("sha256");
  let sizeBytes = 0;
  const file = await open(target, "wx", 0o600);
  try {
    for await (const chunk of content) {
      hash.update(chunk);
      sizeBytes += chunk.byteLength;
      await writeAll(file, chunk);
    }
    await file.sync();
  } finally {
    await file.close();
  }
  return { sizeBytes, sha256: hash.digest("hex") };
}

/** One `write` may take less than it was given. */
async function writeAll(file: FileHandle, chunk: Uint8Array): Promise<void> {
  let offset = 0;
  while (offset < chunk.byteLength) offset += (await file.write(chunk, offset)).bytesWritten;
}

async function openToRead(place: string, key: string): Promise<FileHandle> {
  const file = await open(place, "r").catch(nullIfMissing);
  if (!file) throw new BlobMissingError(key);
  return file;
}

function nullIfMissing(error: unknown): null {
  if (error instanceof Error && "code" in error && error.code === "ENOENT") return null;
  throw error;
}

/** Without it a crash may undo the rename. */
async function syncDirectory(directory: string): Promise<void> {
  const handle = await open(directory, "r");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
