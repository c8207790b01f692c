import { createHash } from "node:crypto";
import { chown, lstat, mkdir } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import type { ServerAccount } from "./server-account.ts";

/** The shortest of the systems' limits on the path of a Unix socket (macOS), less its final NUL. */
const SOCKET_PATH_BYTES_MAX = 103;
/** Postgres takes a list of directories, in which these have a meaning. */
const LIST_SYNTAX = /[,"]/;

/** Whether a socket with this path below `dir` is one that the system takes. Pure. */
export function canHoldSocket(dir: string, socketPath: string): boolean {
  return Buffer.byteLength(path.join(dir, socketPath)) <= SOCKET_PATH_BYTES_MAX && !LIST_SYNTAX.test(dir);
}

/**
 * A directory that only `owner` and root can enter, for Unix sockets: `dir` itself, or one below the system's
 * temporary directory where `dir` can't hold one. The same `dir` gets the same directory each time.
 * @param socketPath the longest path of a socket below it
 */
export async function socketDirFor(
  dir: string,
  owner: Pick<ServerAccount, "uid" | "gid">,
  socketPath: string,
): Promise<string> {
  if (canHoldSocket(dir, socketPath)) return dir;
  const hash = createHash("sha256").update(dir).digest("hex").slice(0, 12);
  const short = path.join(os.tmpdir(), `deckhand-${hash}`);
  const made = await mkdir(short, { recursive: true, mode: 0o700 });
  if (made && process.getuid?.() === 0) await chown(short, owner.uid, owner.gid);
  const found = await lstat(short);
  if (!found.isDirectory() || found.uid !== owner.uid || (found.mode & 0o077) !== 0) {
    throw new Error(`${short} is not a private directory of uid ${owner.uid}. Remove it and start again.`);
  }
  return short;
}
