import { createHash } from "node:crypto";
import { readdir, readFile, stat } from "node:fs/promises";
import path from "node:path";
import { Readable } from "node:stream";
import { pack } from "tar-stream";

const HASH_CHARS = 12;
/** The engine compares files by content, mode and owner, but a constant date keeps the archive itself the same. */
const MODIFIED_AT = new Date(0);
const LEFT_OUT = /(^|\/)(__pycache__|\.[^/]+)(\/|$)|\.pyc$/;

export interface BuildContext {
  /** Of every file's path, content and executable bit. */
  hash: string;
  /** A tar of the files, with `extra` files beside them, which do not count in the hash. Empty ones are left out. */
  toArchive(extra: Record<string, string>): Readable;
}

/** The files of a folder as `docker build` takes them, without caches and hidden files. */
export async function readBuildContext(dir: string): Promise<BuildContext> {
  const entries = await readdir(dir, { recursive: true, withFileTypes: true });
  const paths = entries
    .filter((entry) => entry.isFile())
    .map((entry) => path.relative(dir, path.join(entry.parentPath, entry.name)))
    .filter((name) => !LEFT_OUT.test(name))
    .toSorted();
  const files = await Promise.all(paths.map((name) => readEntry(dir, name)));
  const hash = createHash("sha256");
  for (const { name, mode, content } of files) hash.update(`${name}\0${mode}\0${content.length}\0`).update(content);
  return {
    hash: hash.digest("hex").slice(0, HASH_CHARS),
    toArchive(extra) {
      const archive = pack();
      for (const { name, mode, content } of files) archive.entry({ name, mode, mtime: MODIFIED_AT }, content);
      for (const [name, content] of Object.entries(extra)) {
        if (content) archive.entry({ name, mtime: MODIFIED_AT }, content);
      }
      archive.finalize();
      return Readable.from(archive);
    },
  };
}

async function readEntry(dir: string, name: string) {
  const file = path.join(dir, name);
  const [{ mode }, content] = await Promise.all([stat(file), readFile(file)]);
  return { name, content, mode: (mode & 0o111) === 0 ? 0o644 : 0o755 };
}
