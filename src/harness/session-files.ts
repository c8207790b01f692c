import type { Readable } from "node:stream";

export interface KnownOutput {
  size: number;
  mtimeNs: string;
  sha256: string;
}

export interface SessionOutput {
  workspaceId: string;
  sessionId: string;
  /** Below `/mnt/session/outputs`. */
  path: string;
  mtimeNs: string;
  /** Read once, as it is stored. */
  content: AsyncIterable<Uint8Array>;
  /** A PNG of what it looks like. */
  preview: Buffer | null;
}

/** What the harness needs of a session's files: those that go into the sandbox and those that come out. */
export interface SessionFiles {
  /** @throws AppError `not_found` */
  open(workspaceId: string, fileId: string): Promise<{ content: Readable; size: number }>;
  /** Type and base64 bytes for a message that refers to the file; null when the workspace has no such file. */
  load(workspaceId: string, fileId: string): Promise<{ mediaType: string; data: string } | null>;
  /** Latest known version of each output, by path. */
  outputsOf(sessionId: string): Promise<ReadonlyMap<string, KnownOutput>>;
  /** When `content` fails it rejects with that error, and keeps nothing. */
  saveOutput(output: SessionOutput): Promise<void>;
}
