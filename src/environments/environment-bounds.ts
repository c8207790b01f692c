import { invalid } from "../errors.ts";
import type { EnvironmentConfig } from "../schemas/environment.ts";

/** What an operator lets environments ask for. */
export interface EnvironmentBounds {
  memoryMb: number;
  cpus: number;
  pids: number;
  diskMb: number;
  runtimes: readonly string[];
  baseImages: readonly string[];
}

/**
 * Whoever holds an API key may shape sandboxes only as far as the operator says: not take the machine for himself, not
 * choose a weaker runtime than the installation's, not start from an image that nobody has looked at. Pure.
 * @throws AppError `invalid_request` that names the field, and the setting that would allow it
 */
export function assertWithinBounds({ deckhand = {} }: EnvironmentConfig, bounds: EnvironmentBounds): void {
  const { memory_mb, cpus, pids, disk_mb, runtime, base_image } = deckhand;
  assertAtMost("memory_mb", memory_mb, bounds.memoryMb, "DECKHAND_SANDBOX_MEMORY_MB_MAX");
  assertAtMost("cpus", cpus, bounds.cpus, "DECKHAND_SANDBOX_CPUS_MAX");
  assertAtMost("pids", pids, bounds.pids, "DECKHAND_SANDBOX_PIDS_MAX");
  assertAtMost("disk_mb", disk_mb, bounds.diskMb, "DECKHAND_SANDBOX_DISK_MB_MAX");
  assertListed("runtime", runtime, bounds.runtimes, "DECKHAND_SANDBOX_RUNTIMES");
  assertListed("base_image", base_image, bounds.baseImages, "DECKHAND_SANDBOX_BASE_IMAGES");
}

function assertAtMost(field: string, value: number | undefined, most: number, setting: string): void {
  if (value === undefined || value <= most) return;
  throw invalid(`config.deckhand.${field}: this server allows at most ${most}; its operator can raise ${setting}`);
}

function assertListed(field: string, value: string | undefined, allowed: readonly string[], setting: string): void {
  if (value === undefined || allowed.includes(value)) return;
  const which = allowed.length === 0 ? "none but its own" : allowed.join(", ");
  throw invalid(
    `config.deckhand.${field}: this server allows ${which}; its operator can add \`${value}\` to ${setting}`,
  );
}
