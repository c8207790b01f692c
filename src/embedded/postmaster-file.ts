import { readFile, rm } from "node:fs/promises";
import path from "node:path";
import { isMissing } from "./file-errors.ts";
import { pollUntil } from "./poll.ts";
import { commandLine } from "./process-identity.ts";

/** What a running Postgres says about itself in its data directory. */
export interface Postmaster {
  pid: number;
  socketDir: string;
}

const SOCKET_LINE = 4;
const SOCKET_TIMEOUT_MS = 10_000;

/**
 * The server that runs on `dataDir`, whoever started it; it may still be starting. Null when none does: a file that a
 * killed server left is removed, because Postgres would believe it once another process has been given that number.
 */
export async function findPostmaster(dataDir: string, signal: AbortSignal): Promise<Postmaster | null> {
  const read = async () => {
    const found = await readPostmaster(dataDir);
    // The file names the process from the first; the socket comes a moment later.
    return found?.alive && !found.socketDir ? undefined : found;
  };
  const found = await pollUntil("Postgres to say where its socket is", read, { timeoutMs: SOCKET_TIMEOUT_MS, signal });
  if (!found || found.alive) return found;
  await rm(postmasterFile(dataDir), { force: true });
  if (found.socketDir) await rm(path.join(found.socketDir, ".s.PGSQL.5432.lock"), { force: true });
  return null;
}

/** What the file says, and whether that server still runs. Null when there is no file. Changes nothing. */
export async function readPostmaster(dataDir: string): Promise<(Postmaster & { alive: boolean }) | null> {
  const lines = await readLines(postmasterFile(dataDir));
  if (lines === null) return null;
  const pid = Number.parseInt(lines[0] ?? "", 10);
  const alive = pid > 0 && ((await commandLine(pid))?.includes(dataDir) ?? false);
  return { pid, socketDir: lines[SOCKET_LINE] ?? "", alive };
}

const postmasterFile = (dataDir: string) => path.join(dataDir, "postmaster.pid");

async function readLines(file: string): Promise<string[] | null> {
  try {
    return (await readFile(file, "utf8")).split("\n");
  } catch (error) {
    if (isMissing(error)) return null;
    throw error;
  }
}
