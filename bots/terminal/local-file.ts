import { openAsBlob } from "node:fs";
import { stat } from "node:fs/promises";
import { homedir } from "node:os";
import path from "node:path";
import { TerminalError } from "../../src/errors.ts";
import type { Attachment } from "../shared/attachments.ts";

/** What the API takes. */
const ATTACHMENT_BYTES_MAX = 500_000_000;

export interface LocalFile {
  path: string;
  sizeBytes: number;
}

/**
 * Looks whether a file can be attached. `given` is relative to `cwd`; `~/` is the person's home.
 * @throws TerminalError that says what is wrong with it
 */
export async function findLocalFile(given: string, cwd: string): Promise<LocalFile> {
  const file = path.resolve(cwd, given.startsWith("~/") ? path.join(homedir(), given.slice(2)) : given);
  const found = await stat(file).catch((error: unknown) => {
    throw new TerminalError(`${given}: ${reasonOf(error)}`, { cause: error });
  });
  if (found.isDirectory()) throw new TerminalError(`${given} is a folder. Attach a file.`);
  if (!found.isFile()) throw new TerminalError(`${given} is not a regular file.`);
  if (found.size === 0) throw new TerminalError(`${given} is empty.`);
  if (found.size > ATTACHMENT_BYTES_MAX) {
    const megabytes = Math.ceil(found.size / 1_000_000);
    throw new TerminalError(`${given} has ${megabytes} MB; the limit is ${ATTACHMENT_BYTES_MAX / 1_000_000} MB.`);
  }
  return { path: file, sizeBytes: found.size };
}

/** Read when it is sent, not before. */
export function localAttachment(file: string): Attachment {
  return { filename: path.basename(file), content: () => openAsBlob(file) };
}

function reasonOf(error: unknown): string {
  const code = error instanceof Error && "code" in error ? error.code : null;
  if (code === "ENOENT" || code === "ENOTDIR") return "there is no such file.";
  if (code === "EACCES" || code === "EPERM") return "no permission to read it.";
  return error instanceof Error ? error.message : String(error);
}
