import { chown, mkdtemp, readdir, rename, rm, stat } from "node:fs/promises";
import path from "node:path";
import { isMissing } from "./file-errors.ts";
import { tailOf } from "./log-tail.ts";
import { runAs, type ServerAccount } from "./server-account.ts";

const UNFINISHED = "data.unfinished-";
const INITDB_ARGS = [
  "--username=postgres",
  "--auth=trust",
  "--encoding=UTF8",
  "--locale-provider=builtin",
  "--builtin-locale=C.UTF-8",
  "--locale=C",
  "--no-instructions",
];

/** The files of one server. `data` gets that name only when it is complete. */
export interface ServerFiles {
  dir: string;
  data: string;
  log: string;
}

/**
 * Makes the data directory where there is none. What an interrupted run left is removed; a data directory that is not
 * one is put aside. The caller holds the lock on `files`.
 */
export async function ensureData(files: ServerFiles, initdb: string, account: ServerAccount): Promise<void> {
  const entries = await readdir(files.dir);
  for (const entry of entries) {
    if (entry.startsWith(UNFINISHED)) await rm(path.join(files.dir, entry), { recursive: true, force: true });
  }
  if (entries.includes(path.basename(files.data))) {
    if ((await dataOwnerUid(files)) !== null) return;
    await rename(files.data, `${files.data}.unusable-${Date.now()}`);
  }
  const unfinished = await mkdtemp(path.join(files.dir, UNFINISHED));
  if (process.getuid?.() === 0) await chown(unfinished, account.uid, account.gid);
  const code = await runAs(account, initdb, ["--pgdata", unfinished, ...INITDB_ARGS], files.log);
  if (code !== 0) throw new Error(`initdb ended with ${code}:\n${await tailOf(files.log)}`);
  await rename(unfinished, files.data);
}

/** Whose the database is. Null when there is none: a data directory without this file is not one. */
export async function dataOwnerUid(files: ServerFiles): Promise<number | null> {
  try {
    return (await stat(path.join(files.data, "global", "pg_control"))).uid;
  } catch (error) {
    if (isMissing(error)) return null;
    throw error;
  }
}
