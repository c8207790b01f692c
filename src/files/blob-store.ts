import type { Readable } from "node:stream";

export interface StoredBlob {
  key: string;
  sizeBytes: number;
  /** Hex. */
  sha256: string;
}

/**
 * Where bytes are kept.
 *
 * Contract, checked by `test/contracts/blob-store.ts`:
 * - `put` takes in a stream to its end; once it resolves the bytes survive a crash. When the stream fails,
 *   `put` rejects with its error; then, or when the process dies, nothing is kept under any key;
 * - every `put` gives a key of its own, also for bytes that are there already: sharing is the business of whoever counts
 *   the references, and a key that is never given twice can be deleted without looking who puts the same bytes just now;
 * - `open` resolves once the bytes are known to be there, and throws `BlobMissingError` otherwise;
 * - `delete` is idempotent; a stream that is open already is read to its end.
 */
export interface BlobStore {
  put(content: AsyncIterable<Uint8Array>): Promise<StoredBlob>;
  open(key: string): Promise<Readable>;
  delete(key: string): Promise<void>;
}

export class BlobMissingError extends Error {
  override readonly name = "BlobMissingError";

  constructor(key: string) {
    super(`There is no blob ${key}.`);
  }
}
