import { readFile } from "node:fs/promises";
import { z } from "zod";
import { isMissing } from "../src/embedded/file-errors.ts";

const MIB = 1024 * 1024;
const AVAILABLE = /^MemAvailable:\s+(\d+) kB$/m;

const Stats = z.object({
  memory_stats: z.object({ usage: z.number(), stats: z.record(z.string(), z.number()).default({}) }),
});

/** What programs could still have without swapping, from `/proc/meminfo`, in MiB. Pure. @throws when it does not say */
export function availableIn(meminfo: string): number {
  const [, kib] = AVAILABLE.exec(meminfo) ?? [];
  if (kib === undefined) throw new Error("/proc/meminfo does not say what memory is available.");
  return Number(kib) / 1024;
}

/** Of this machine. Null where the system does not tell, and so where the engine runs in another machine. */
export async function availableMemory(): Promise<number | null> {
  try {
    return availableIn(await readFile("/proc/meminfo", "utf8"));
  } catch (error) {
    if (isMissing(error)) return null;
    throw error;
  }
}

/** A container's memory in MiB by the engine's statistics, less the cache that goes when others need it. Pure. */
export function memoryInUse(statistics: unknown): number {
  const { usage, stats } = Stats.parse(statistics).memory_stats;
  // As the first and the second version of control groups call it.
  return (usage - (stats["total_inactive_file"] ?? stats["inactive_file"] ?? 0)) / MIB;
}
