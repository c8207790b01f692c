import type { SandboxShape } from "../sandbox/sandbox.ts";
import type { EnvironmentConfig } from "../schemas/environment.ts";

const MIB = 1024 * 1024;
/** Shared memory counts as memory, and something else wants to live too. */
const SHARED_MEMORY_PART_MAX = 1 / 2;

/** The machine that an environment asks for, before anything is installed; what it does not say is as in `defaults`. Pure. */
export function machineShape({ deckhand }: EnvironmentConfig, defaults: SandboxShape): SandboxShape {
  if (!deckhand) return defaults;
  const { limits } = defaults;
  const memoryBytes = deckhand.memory_mb ? deckhand.memory_mb * MIB : limits.memoryBytes;
  return {
    image: deckhand.base_image ?? defaults.image,
    limits: {
      memoryBytes,
      cpus: deckhand.cpus ?? limits.cpus,
      pids: deckhand.pids ?? limits.pids,
      sharedMemoryBytes: Math.min(limits.sharedMemoryBytes, memoryBytes * SHARED_MEMORY_PART_MAX),
      diskBytes: deckhand.disk_mb ? deckhand.disk_mb * MIB : limits.diskBytes,
    },
    runtime: deckhand.runtime ?? defaults.runtime,
  };
}
