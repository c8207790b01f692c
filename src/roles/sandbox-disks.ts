import path from "node:path";
import { type DiskProbeOptions, probeLoopDisks } from "../sandbox/disk-probe.ts";
import type { SandboxDisks } from "../sandbox/sandbox-disks.ts";

/** Where an installation keeps the disks of its sandboxes. While they are mounted, the home can't be deleted. */
export function sandboxDisksDir(home: string): string {
  return path.join(home, "sandbox-disks");
}

/** Null, with the reason in the log, where this process can't make disks that the engine sees. */
export function openSandboxDisks(
  { home, ...options }: Omit<DiskProbeOptions, "dir"> & { home: string },
  signal: AbortSignal,
): Promise<SandboxDisks | null> {
  return probeLoopDisks({ ...options, dir: sandboxDisksDir(home) }, signal);
}
