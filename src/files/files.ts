import type { Readable } from "node:stream";
import { AppError, invalid, notFound } from "../errors.ts";
import type { Keyset } from "../keyset.ts";
import type { Logger } from "../log.ts";
import type { FileMetadata } from "../schemas/file.ts";
import type { BlobStore, StoredBlob } from "./blob-store.ts";
import { assertNotExpired, newFile, toFileMetadata } from "./file-row.ts";
import type { FileFilter, FileRow, FileStore } from "./file-store.ts";
import { safeFilename } from "./filename.ts";
import { MAGIC_BYTES, mimeTypeOf } from "./mime-type.ts";

export const FILE_BYTES_MAX = 500 * 1024 * 1024;

/** Bytes that are stored but belong to no file yet. */
export interface Draft extends StoredBlob {
  /** The first bytes, which may tell what it is. */
  head: Uint8Array;
}

export interface Upload {
  filename: string | undefined;
  /** The content type that the sender gave. */
  declaredType: string | undefined;
  expiresInSeconds: number | null;
}

export interface Output {
  workspaceId: string;
  sessionId: string;
  /** Below `/mnt/session/outputs`. */
  path: string;
  /** When it was written, in ns since the epoch. */
  mtimeNs: string;
  /** Read once, as it is stored. */
  content: AsyncIterable<Uint8Array>;
  /** A PNG of what it looks like. */
  preview: Buffer | null;
}

export interface OpenFile {
  file: FileMetadata;
  content: Readable;
}

/** All throw AppError `not_found` for an unknown file and for another workspace's. */
export interface Files {
  /**
   * Stores an upload's bytes; `publish` makes a file of them, `discard` drops them.
   * @throws AppError `request_too_large` beyond 500 MB; nothing is kept then
   */
  draft(content: AsyncIterable<Uint8Array>): Promise<Draft>;
  publish(workspaceId: string, draft: Draft, upload: Upload): Promise<FileMetadata>;
  discard(draft: Draft): Promise<void>;
  get(workspaceId: string, id: string): Promise<FileMetadata>;
  list(workspaceId: string, filter: FileFilter, keyset: Keyset): Promise<FileMetadata[]>;
  /** @throws AppError `not_found` with `file_expired` once the file's time is over */
  open(workspaceId: string, id: string): Promise<OpenFile>;
  /** A file that a client may download: refuses what no agent made, with `file_not_downloadable`, and as `open`. */
  downloadable(workspaceId: string, id: string): Promise<FileMetadata>;
  /** Like `open`, of what is `downloadable`. */
  download(workspaceId: string, id: string): Promise<OpenFile>;
  /** The PNG beside a file; `not_found` when it has none. */
  openPreview(workspaceId: string, id: string): Promise<Readable>;
  /** @throws AppError `invalid_request` while the file is mounted in a session */
  delete(workspaceId: string, id: string): Promise<void>;
  /** Frees the space of blobs that no file refers to any more. A failure is logged: it wastes space and no more. */
  dropBlobs(keys: string[]): Promise<void>;
  /**
   * Keeps what an agent left in its outputs folder. A path that was written anew becomes a new file beside the old one,
   * so an id always stands for the same bytes. Idempotent: bytes that the path's latest file has already are not kept
   * twice. When `content` fails it rejects with that error; whatever fails, nothing is kept. Only the harness that holds
   * the session's lease may call it.
   */
  saveOutput(output: Output): Promise<FileMetadata>;
  /** The latest state of each path that was saved. */
  outputsOf(sessionId: string): Promise<Map<string, { size: number; mtimeNs: string; sha256: string }>>;
}

interface Dependencies {
  store: FileStore;
  blobs: BlobStore;
  log: Logger;
  bytesMax?: number;
}

export function createFiles({ store, blobs, log, bytesMax = FILE_BYTES_MAX }: Dependencies): Files {
  const find = async (workspaceId: string, id: string) => {
    const row = await store.find(workspaceId, id);
    if (!row) throw notFound("File", id);
    return row;
  };
  const findDownloadable = async (workspaceId: string, id: string) => {
    const row = await find(workspaceId, id);
    assertNotExpired(row);
    if (row.downloadable) return row;
    throw invalid(`File \`${id}\` was uploaded; only files that an agent made can be downloaded.`, {
      details: { error_code: "file_not_downloadable" },
    });
  };
  const open = async (row: FileRow) => {
    assertNotExpired(row);
    return { file: toFileMetadata(row), content: await blobs.open(row.blobKey) };
  };
  const keep = async (content: AsyncIterable<Uint8Array>): Promise<Draft> => {
    const head: Uint8Array[] = [];
    const blob = await blobs.put(showingHead(content, (part) => head.push(part)));
    return { ...blob, head: Buffer.concat(head) };
  };
  const dropBlobs = async (keys: string[]) => {
    const results = await Promise.allSettled(keys.map((key) => blobs.delete(key)));
    for (const result of results) {
      if (result.status === "rejected") log.error({ err: result.reason }, "unused blob was not deleted");
    }
  };

  return {
    draft: (content) => keep(limited(content, bytesMax)),

    async publish(workspaceId, draft, { filename, declaredType, expiresInSeconds }) {
      const mimeType = mimeTypeOf(filename, draft.head, declaredType);
      const row = await store.insert({
        ...newFile(workspaceId, draft, safeFilename(filename, mimeType), mimeType),
        expiresAt: expiresInSeconds === null ? null : new Date(Date.now() + expiresInSeconds * 1000),
      });
      return toFileMetadata(row);
    },

    discard: (draft) => blobs.delete(draft.key),

    get: async (workspaceId, id) => toFileMetadata(await find(workspaceId, id)),

    async list(workspaceId, filter, keyset) {
      return (await store.list(workspaceId, filter, keyset)).map(toFileMetadata);
    },

    open: async (workspaceId, id) => open(await find(workspaceId, id)),

    downloadable: async (workspaceId, id) => toFileMetadata(await findDownloadable(workspaceId, id)),

    download: async (workspaceId, id) => open(await findDownloadable(workspaceId, id)),

    async openPreview(workspaceId, id) {
      const row = await find(workspaceId, id);
      if (!row.previewKey) throw notFound("Preview of file", id);
      return blobs.open(row.previewKey);
    },

    async delete(workspaceId, id) {
      await find(workspaceId, id);
      const sessionId = await store.mountedIn(workspaceId, id);
      if (sessionId) throw invalid(`File \`${id}\` is mounted in session \`${sessionId}\`; it goes with that session.`);
      await dropBlobs(await store.remove(workspaceId, id));
    },

    dropBlobs,

    async saveOutput({ workspaceId, sessionId, path, mtimeNs, content, preview }) {
      const draft = await keep(content);
      const mimeType = mimeTypeOf(path, draft.head);
      const file = newFile(workspaceId, draft, safeFilename(path, mimeType), mimeType);
      const stored = [draft.key];
      try {
        const latest = (await store.outputs(sessionId, path)).at(-1);
        if (latest?.sha256 === draft.sha256) {
          await blobs.delete(draft.key);
          return toFileMetadata(await store.setOutputMtime(latest.id, mtimeNs));
        }
        const previewKey = preview && (await blobs.put(once(preview))).key;
        if (previewKey) stored.push(previewKey);
        const output = { previewKey, sessionId, downloadable: true, outputPath: path, outputMtimeNs: mtimeNs };
        return toFileMetadata(await store.insert({ ...file, ...output }));
      } catch (error) {
        // The file may be there all the same, if only the database's answer got lost.
        if (!(await store.find(workspaceId, file.id))) await dropBlobs(stored);
        throw error;
      }
    },

    async outputsOf(sessionId) {
      const rows = await store.outputs(sessionId);
      return new Map(
        rows.map(({ outputPath, sizeBytes, outputMtimeNs, sha256 }) => [
          outputPath ?? "",
          { size: Number(sizeBytes), mtimeNs: outputMtimeNs ?? "", sha256 },
        ]),
      );
    },
  };
}

/** Passes a stream on, and fails as soon as it is too long. */
async function* limited(content: AsyncIterable<Uint8Array>, bytesMax: number) {
  let bytes = 0;
  for await (const chunk of content) {
    bytes += chunk.byteLength;
    if (bytes > bytesMax) {
      throw new AppError("request_too_large", `The file is larger than ${Math.floor(bytesMax / 1024 / 1024)} MB.`);
    }
    yield chunk;
  }
}

/** Passes a stream on, and its first bytes to `onHead` as well. */
async function* showingHead(content: AsyncIterable<Uint8Array>, onHead: (part: Uint8Array) => void) {
  let left = MAGIC_BYTES;
  for await (const chunk of content) {
    if (left > 0) onHead(chunk.subarray(0, left));
    left -= chunk.byteLength;
    yield chunk;
  }
}

async function* once(content: Buffer) {
  yield content;
}
