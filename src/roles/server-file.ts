import { mkdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { z } from "zod";

const ServerFile = z.object({ url: z.url(), pid: z.number().int() });
export type ServerFile = z.infer<typeof ServerFile>;

const serverFile = (home: string) => path.join(home, "server.json");

/** Tells other processes of this home where the API is. Returns the function that takes it back. */
export async function announceServer(home: string, url: string): Promise<() => Promise<void>> {
  await mkdir(home, { recursive: true });
  const file = serverFile(home);
  const draft = `${file}.${process.pid}`;
  await writeFile(draft, `${JSON.stringify({ url, pid: process.pid } satisfies ServerFile)}\n`);
  await rename(draft, file);
  return async () => {
    if ((await findServer(home))?.pid === process.pid) await rm(file, { force: true });
  };
}

/** The API that a process of this home serves; null when none does. */
export async function findServer(home: string): Promise<ServerFile | null> {
  let text: string;
  try {
    text = await readFile(serverFile(home), "utf8");
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return null;
    throw error;
  }
  const found = parse(text);
  return found && isAlive(found.pid) ? found : null;
}

/** Null for what no server wrote: then none can be found there, and the next one to start replaces it. */
function parse(text: string): ServerFile | null {
  try {
    return ServerFile.safeParse(JSON.parse(text)).data ?? null;
  } catch (error) {
    if (error instanceof SyntaxError) return null;
    throw error;
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // ESRCH: a process that was killed left the file behind. EPERM: it lives, as another user.
    return error instanceof Error && "code" in error && error.code === "EPERM";
  }
}
