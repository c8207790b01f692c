import { AppError } from "../errors.ts";
import { newId } from "../ids.ts";
import type { FileMetadata } from "../schemas/file.ts";
import type { StoredBlob } from "./blob-store.ts";
import type { FileRow, NewFile } from "./file-store.ts";

/** An upload, unless told otherwise: no session's, not to be downloaded, kept for ever. */
export function newFile(workspaceId: string, blob: StoredBlob, filename: string, mimeType: string): NewFile {
  return {
    id: newId("file"),
    workspaceId,
    filename,
    mimeType,
    sizeBytes: BigInt(blob.sizeBytes),
    sha256: blob.sha256,
    blobKey: blob.key,
    previewKey: null,
    sessionId: null,
    downloadable: false,
    outputPath: null,
    outputMtimeNs: null,
    expiresAt: null,
  };
}

/** A session's own copy, which has an id of its own and shares the bytes and the expiry. */
export function copyOf(original: FileRow, sessionId: string): NewFile {
  const { createdAt: _, ...shared } = original;
  return {
    ...shared,
    id: newId("file"),
    sessionId,
    previewKey: null,
    downloadable: false,
    outputPath: null,
    outputMtimeNs: null,
  };
}

export function toFileMetadata(row: FileRow): FileMetadata {
  return {
    id: row.id,
    type: "file",
    filename: row.filename,
    mime_type: row.mimeType,
    size_bytes: Number(row.sizeBytes),
    created_at: row.createdAt.toISOString(),
    downloadable: row.downloadable,
    expires_at: row.expiresAt?.toISOString() ?? null,
    scope: row.sessionId === null ? null : { type: "session", id: row.sessionId },
  };
}

/** @throws AppError `not_found` with `file_expired` once the file's time is over */
export function assertNotExpired(row: FileRow): void {
  if (!row.expiresAt || row.expiresAt.getTime() > Date.now()) return;
  throw new AppError("not_found", `File \`${row.id}\` expired at ${row.expiresAt.toISOString()}.`, {
    details: { error_code: "file_expired" },
  });
}
