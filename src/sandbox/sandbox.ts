import type { Readable } from "node:stream";

/** One call of a built-in tool, as the runner inside the sandbox executes it. Paths are absolute or relative to `/workspace`. */
export type SandboxOp =
  | { op: "bash"; command?: string; restart?: boolean; timeout_ms?: number }
  | { op: "read"; file_path: string; view_range?: [number, number] }
  | { op: "write"; file_path: string; content: string }
  | { op: "edit"; file_path: string; old_string: string; new_string: string; replace_all?: boolean }
  | { op: "glob"; pattern: string; path?: string }
  | { op: "grep"; pattern: string; path?: string }
  | CloneOp;

/**
 * Puts a git repository at `path`, which must not be there or be an empty folder. Never offered to a model. A failure
 * quotes git's last lines; what it had fetched by then is gone.
 */
export interface CloneOp {
  op: "clone";
  /** Without credentials in it: those are the gateway's business. */
  url: string;
  path: string;
  /** Null for what the repository has as its own default. */
  checkout: { type: "branch"; name: string } | { type: "commit"; sha: string } | null;
  /** Ten minutes when left out. */
  timeout_ms?: number;
}

export type SandboxContent =
  | { type: "text"; text: string }
  /** `data` is base64. */
  | { type: "image"; media_type: string; data: string }
  | { type: "document"; media_type: string; data: string };

export interface SandboxResult {
  content: SandboxContent[];
  isError: boolean;
}

export interface OutputFile {
  /** Relative to `/mnt/session/outputs`, `/`-separated, already checked: no `..`, no control characters, valid UTF-8. */
  path: string;
  size: number;
  /** Nanoseconds since the epoch, as a decimal string: a double cannot hold it. */
  mtimeNs: string;
}

export interface SandboxLimits {
  memoryBytes: number;
  cpus: number;
  /** Processes and threads. */
  pids: number;
  /** Of the memory, how much may be shared memory in /dev/shm. */
  sharedMemoryBytes: number;
  /** Of all that the tools' user can write to. Kept where the worker can make disks, and as a cap on each file elsewhere. */
  diskBytes: number;
}

/** What sandboxes can differ in. Those of equal shapes can stand in for each other until one is given to a session. */
export interface SandboxShape {
  image: string;
  limits: SandboxLimits;
  /** As registered with the engine, e.g. `runsc`; null for the engine's default. */
  runtime: string | null;
}

export interface SandboxSpec {
  sessionId: string;
  shape: SandboxShape;
}

/**
 * Makes and finds sandboxes. Holds no state that matters: whatever a provider knows it can learn again from the engine
 * (containers carry labels with the installation and the session).
 *
 * Contract, checked by `test/contracts/sandbox-provider.ts` against each driver:
 * - every call takes a signal; when it aborts, the call rejects with the signal's reason and leaves nothing behind;
 * - a sandbox is used by one session only and never returned to the pool.
 */
export interface SandboxProvider {
  /** A started sandbox with its runner answering, from the warm pool where it has one. */
  provision(spec: SandboxSpec, signal: AbortSignal): Promise<Sandbox>;
  /**
   * Joins a sandbox that another process provisioned. One that was paused or stopped is started again, with its files;
   * what ran in it when it stopped has an unknown outcome. Null when it is gone for good. Rejects when the engine can't be
   * asked.
   */
  attach(ref: string, signal: AbortSignal): Promise<Sandbox | null>;
  /** Takes its processors away; memory and processes stay. Idempotent; no error when it is stopped or gone. */
  pause(ref: string): Promise<void>;
  /** Ends what runs in it and frees its memory; the disk stays. Idempotent; no error when it is gone. */
  stop(ref: string): Promise<void>;
  /** Removes it and its disk. No error when it is already gone. */
  destroy(ref: string): Promise<void>;
  /** Every sandbox of this installation that belongs to a session, for the reaper. Pooled ones are not listed. */
  list(): Promise<{ ref: string; sessionId: string }[]>;
  /** Leaves sandboxes of sessions running, removes unclaimed pool members, closes connections. Idempotent. */
  close(): Promise<void>;
}

/**
 * One attached sandbox. Methods may be called concurrently. After the container is lost every method rejects with
 * `SandboxLostError`; what the running calls did is then unknown.
 */
export interface Sandbox {
  /** What `attach` takes. */
  readonly ref: string;
  readonly image: string;
  /** Names its socket at the gateway; null for one without a way out. */
  readonly gatewayId: string | null;
  /**
   * Sets the variables that tools see besides the sandbox's own, in place of those set before; the shell that runs sees
   * them from its next command on. Whoever attaches has to set them again: a runner that was killed has forgotten them.
   */
  setEnvironment(variables: Record<string, string>, signal: AbortSignal): Promise<void>;
  /**
   * Runs `op` at most once per `callId`, whoever asks and however often: the runner journals calls, so a repeated call
   * waits for the first one's result, or gets it from the journal. A failed tool is a result with `isError`. When the
   * signal aborts, the call's process group is killed, its result is journaled as interrupted, and this rejects.
   *
   * There is one shell: bash calls that are asked for together run one after the other, and each one's timeout begins
   * when its turn comes. The other tools run at once.
   */
  call(callId: string, op: SandboxOp, signal: AbortSignal): Promise<SandboxResult>;
  /**
   * Puts a file below `/mnt/session/uploads`, owned by root and read-only for the tools. Replaces what is there. `path` is
   * absolute, or relative to that folder. Rejects when `content` does not have exactly `size` bytes.
   */
  putUpload(path: string, content: Readable, size: number, signal: AbortSignal): Promise<void>;
  /** Writes text anywhere the tools' user may, creating folders. Not journaled: safe to repeat. */
  writeText(path: string, text: string, signal: AbortSignal): Promise<void>;
  /**
   * Regular files only, in path order, at most 500 and none above 500 MB. Symlinks, hard links, sparse files, sockets, odd
   * names and hidden ones (lock files, caches) are left out.
   */
  listOutputs(signal: AbortSignal): Promise<OutputFile[]>;
  /**
   * The file's bytes, in parts of at most 1 MiB, each fetched when it is asked for: exactly `size` bytes, or the iteration
   * throws. It throws when the file is no longer the one that was listed, or changes before its last part is read; what
   * came until then is to be thrown away. When the signal aborts it throws the signal's reason.
   */
  readOutput(file: OutputFile, signal: AbortSignal): AsyncIterable<Buffer>;
  /** A PNG of the first page, sheet or slide of an office or PDF file in outputs; null when it cannot be rendered. */
  renderPreview(path: string, signal: AbortSignal): Promise<Buffer | null>;
  /** Drops the connection; the container, its runner and running calls go on. Idempotent. */
  detach(): Promise<void>;
}

/** The sandbox no longer exists or no longer answers. */
export class SandboxLostError extends Error {
  override readonly name = "SandboxLostError";
}
