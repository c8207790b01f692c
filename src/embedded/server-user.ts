import { randomUUID } from "node:crypto";
import { mkdir, readdir, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { isAlive, processIdentity } from "./process-identity.ts";

/** One user of a server, written in a file, so that the last to leave can stop it. Callers hold the server's lock. */
export interface ServerUser {
  join(): Promise<void>;
  /** True when nobody is left. Users that died without leaving do not count. */
  leave(): Promise<boolean>;
}

export function createServerUser(dir: string): ServerUser {
  const nonce = randomUUID();
  const ownFile = async () => path.join(dir, `${await processIdentity(process.pid)}~${nonce}`);
  return {
    async join() {
      await mkdir(dir, { recursive: true });
      await writeFile(await ownFile(), "");
    },

    async leave() {
      await rm(await ownFile(), { force: true });
      for (const other of await readdir(dir)) {
        if (await isAlive(other.split("~", 1)[0] ?? "")) return false;
        await rm(path.join(dir, other), { force: true });
      }
      return true;
    },
  };
}
