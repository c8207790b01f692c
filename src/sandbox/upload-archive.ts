import { posix } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { pack } from "tar-stream";
import { invalid } from "../errors.ts";

export const UPLOADS_DIR = "/mnt/session/uploads";

const ROOT_OWNED = { uid: 0, gid: 0 };

/**
 * `path` relative to the uploads folder. It may be given so, or absolute. Pure.
 * @throws AppError `invalid_request` for a path that leads elsewhere
 */
export function uploadPath(path: string): string {
  const absolute = posix.resolve(UPLOADS_DIR, path);
  const relative = posix.relative(UPLOADS_DIR, absolute);
  const leadsElsewhere =
    relative === "" || relative === ".." || relative.startsWith("../") || path.split("/").includes("..");
  if (leadsElsewhere || path.endsWith("/") || /\p{Cc}/u.test(path)) {
    throw invalid(`path: must name a file below ${UPLOADS_DIR}, not ${JSON.stringify(path)}`);
  }
  return relative;
}

/**
 * An archive of one file and the folders above it, owned by root and read-only. `filled` rejects, and the archive breaks
 * off, when `content` fails or does not have exactly `size` bytes.
 */
export function uploadArchive(
  path: string,
  content: Readable,
  size: number,
): { archive: Readable; filled: Promise<void> } {
  const archive = pack();
  const folders = path.split("/").slice(0, -1);
  folders.forEach((_, index) => {
    archive.entry({ ...ROOT_OWNED, name: `${folders.slice(0, index + 1).join("/")}/`, type: "directory", mode: 0o555 });
  });
  const entry = archive.entry({ ...ROOT_OWNED, name: path, size, mode: 0o444 });
  const filled = pipeline(content, entry).then(
    () => archive.finalize(),
    (error: Error) => {
      archive.destroy(error);
      throw error;
    },
  );
  return { archive: Readable.from(archive), filled };
}
