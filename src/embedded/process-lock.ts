import { randomUUID } from "node:crypto";
import { link, mkdir, readFile, rm, rmdir, stat, writeFile } from "node:fs/promises";
import { errorCode, isMissing } from "./file-errors.ts";
import { pollUntil } from "./poll.ts";
import { isAlive, processIdentity } from "./process-identity.ts";

/** Whoever holds a lock lives, and may be building an image. */
const WAIT_TIMEOUT_MS = 30 * 60_000;
const POLL_INTERVAL_MS = 20;
/** Clearing a dead holder's lock takes microseconds. Whoever is at it for longer than this has died doing it. */
const CLEARING_MAX_MS = 10_000;

/**
 * Runs `work` while no other process on this machine that calls this with the same `file` runs its own. A lock whose
 * holder has died, by SIGKILL or power loss, is cleared. Two calls in one process exclude each other as well.
 */
export async function withProcessLock<Result>(
  file: string,
  signal: AbortSignal,
  work: () => Promise<Result>,
): Promise<Result> {
  const own = `${file}.${randomUUID()}`;
  await writeFile(own, (await processIdentity(process.pid)) ?? "");
  try {
    // A link appears whole or not at all, so the lock is never there without its holder's name in it.
    await pollUntil(`the lock ${file}`, () => tryAcquire(own, file), {
      timeoutMs: WAIT_TIMEOUT_MS,
      intervalMs: POLL_INTERVAL_MS,
      signal,
    });
  } finally {
    await rm(own, { force: true });
  }
  try {
    return await work();
  } finally {
    await rm(file, { force: true });
  }
}

async function tryAcquire(own: string, file: string): Promise<true | undefined> {
  try {
    await link(own, file);
    return true;
  } catch (error) {
    if (errorCode(error) !== "EEXIST") throw error;
  }
  if (await isAbandoned(file)) await clearAbandoned(file);
  return undefined;
}

async function isAbandoned(file: string): Promise<boolean> {
  try {
    return !(await isAlive(await readFile(file, "utf8")));
  } catch (error) {
    if (isMissing(error)) return false;
    throw error;
  }
}

/** Only one process at a time looks again and removes: otherwise the second would remove the lock of a new holder. */
async function clearAbandoned(file: string): Promise<void> {
  const clearing = `${file}.clearing`;
  try {
    await mkdir(clearing);
  } catch (error) {
    if (errorCode(error) !== "EEXIST") throw error;
    if (await isOlderThan(clearing, CLEARING_MAX_MS)) await rm(clearing, { recursive: true, force: true });
    return;
  }
  try {
    if (await isAbandoned(file)) await rm(file, { force: true });
  } finally {
    await rmdir(clearing);
  }
}

async function isOlderThan(file: string, ageMs: number): Promise<boolean> {
  try {
    return Date.now() - (await stat(file)).mtimeMs > ageMs;
  } catch (error) {
    if (isMissing(error)) return false;
    throw error;
  }
}
