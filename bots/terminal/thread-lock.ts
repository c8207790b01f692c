import { mkdir, open, readFile, rm } from "node:fs/promises";
import path from "node:path";
import { TerminalError } from "../../src/errors.ts";

/**
 * Keeps a second terminal out of a thread. What a dead process left behind is taken over. Returns the function that gives
 * the thread back.
 * @throws TerminalError when the thread is open elsewhere
 */
export async function lockThread(file: string, threadId: string): Promise<() => Promise<void>> {
  await mkdir(path.dirname(file), { recursive: true, mode: 0o700 });
  if (!(await create(file))) {
    const holder = Number(await readFile(file, "utf8"));
    if (isAlive(holder)) throw new TerminalError(`Thread ${threadId} is open in another terminal (process ${holder}).`);
    await rm(file, { force: true });
    if (!(await create(file))) throw new TerminalError(`Thread ${threadId} was just opened in another terminal.`);
  }
  return () => rm(file, { force: true });
}

async function create(file: string): Promise<boolean> {
  try {
    const handle = await open(file, "wx", 0o600);
    await handle.writeFile(String(process.pid));
    await handle.close();
    return true;
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "EEXIST") return false;
    throw error;
  }
}

function isAlive(pid: number): boolean {
  if (!Number.isInteger(pid) || pid <= 0 || pid === process.pid) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // EPERM: it lives, and belongs to somebody else.
    return error instanceof Error && "code" in error && error.code === "EPERM";
  }
}
