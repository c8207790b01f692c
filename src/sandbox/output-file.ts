import { z } from "zod";
import type { OutputFile } from "./sandbox.ts";

export const OUTPUT_FILES_MAX = 500;
export const OUTPUT_BYTES_MAX = 500 * 1024 * 1024;

const NAME_BYTES_MAX = 255;
const PATH_BYTES_MAX = 4096;
/** Control characters, and those that turn the direction of writing, by which a name can look like another one. */
const ODD_CHARACTERS = /[\p{Cc}\p{Cs}\u202a-\u202e\u2066-\u2069\ufffd]/u;

const ListedFile = z.object({ path: z.string(), size: z.number(), mtime_ns: z.string().regex(/^\d{1,20}$/) });
const Listing = z.array(z.unknown());

/**
 * The files in a runner's listing, in path order. The runner runs as the agent's user, so its word counts for nothing:
 * what does not look like a deliverable is left out. Pure. @throws Error when it is no listing at all
 */
export function parseOutputListing(listing: unknown): OutputFile[] {
  const files = new Map<string, OutputFile>();
  for (const entry of Listing.parse(listing).slice(0, OUTPUT_FILES_MAX)) {
    const { data } = ListedFile.safeParse(entry);
    if (!data || !isDeliverable(data.path, data.size)) continue;
    files.set(data.path, { path: data.path, size: data.size, mtimeNs: data.mtime_ns });
  }
  return [...files.values()].sort((a, b) => (a.path < b.path ? -1 : 1));
}

function isDeliverable(path: string, size: number): boolean {
  if (!Number.isSafeInteger(size) || size < 0 || size > OUTPUT_BYTES_MAX) return false;
  return Buffer.byteLength(path) <= PATH_BYTES_MAX && path.split("/").every(isPlainName);
}

function isPlainName(name: string): boolean {
  return (
    name !== "" && !name.startsWith(".") && Buffer.byteLength(name) <= NAME_BYTES_MAX && !ODD_CHARACTERS.test(name)
  );
}
