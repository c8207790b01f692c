import type { Readable } from "node:stream";

export interface MountedFile {
  /** Of the session resource. */
  resourceId: string;
  fileId: string;
  /** Absolute, below `/mnt/session/uploads`. */
  mountPath: string;
  size: number;
}

export interface KnownOutput {
  size: number;
  mtimeNs: string;
  sha256: string;
}

/** What the harness needs of a session's files: those that go into the sandbox and those that come out. */
export interface SessionFiles {
  mounted(sessionId: string): Promise<MountedFile[]>;
  open(fileId: string): Promise<Readable>;
  /** Type and base64 bytes for a message that refers to the file; null when the workspace has no such file. */
  load(workspaceId: string, fileId: string): Promise<{ mediaType: string; data: string } | null>;
  /** Latest known version of each output, by path. */
  outputsOf(sessionId: string): Promise<ReadonlyMap<string, KnownOutput>>;
  saveOutput(output: {
    workspaceId: string;
    sessionId: string;
    path: string;
    mtimeNs: string;
    content: Buffer;
    preview: Buffer | null;
  }): Promise<void>;
}
