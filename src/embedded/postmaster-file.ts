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
  return pollUntil("Postgres to say where its socket is", () => readPostmaster(dataDir), { timeoutMs: SOCKET_TIMEOUT_MS, signal });
}

/** Undefined for a moment while the server starts: the file has its number from the first, the socket comes later. */
async function readPostmaster(dataDir: string): Promise<Postmaster | null | undefined> {
  const file = path.join(dataDir, "postmaster.pid");
  const lines = await readLines(file);
  if (lines === null) return null;
  const pid = Number.parseInt(lines[0] ?? "", 10);
  const socketDir = lines[SOCKET_LINE] ?? "";
  if (pid > 0 && (await commandLine(pid))?.includes(dataDir)) return socketDir ? { pid, socketDir } : undefined;
  await rm(file, { force: true });
  if (socketDir) await rm(path.join(socketDir, ".s.PGSQL.5432.lock"), { force: true });
  return null;
}

async function readLines(file: string): Promise<string[] | null> {
  try {
    return (await readFile(file, "utf8")).split("\n");
  } catch (error) {
    if (isMissing(error)) return null;
    throw error;
  }
}
