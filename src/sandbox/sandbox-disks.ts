import type { MountSettings } from "dockerode";

/** A folder on the engine's host that a container sees at a place of its own. */
export interface DiskMount {
  source: string;
  target: string;
  /** Whether it begins with what the container's image has at that place. */
  seeded: boolean;
}

/**
 * A disk of limited size for each container, named by the container's slot. Holds no state: what it knows is in the file
 * system. Names that aren't slots are refused, since they become paths.
 */
export interface SandboxDisks {
  /**
   * A new disk that takes at most `bytes`, its own bookkeeping included, and claims next to nothing until it is written
   * to. Leaves nothing behind when it fails.
   * @throws Error when the host has no space left to give, or the slot has a disk
   */
  create(slot: string, bytes: number): Promise<DiskMount[]>;
  /**
   * Makes the disk usable again after the host was restarted; to be called before the container is started. Idempotent.
   * False when there is no such disk, or one so damaged that it can't be repaired.
   */
  ensure(slot: string): Promise<boolean>;
  /** Removes the disk and gives its space back, even while it is in use. No error when it is gone. */
  remove(slot: string): Promise<void>;
  /** The slots that have a disk, or what is left of one. */
  list(): Promise<string[]>;
  /** How much of the host's space it takes now. 0 when it is gone. */
  usedBytes(slot: string): Promise<number>;
  /** How much space the host has left for all of them. */
  freeBytes(): Promise<number>;
}

/** As a container's `HostConfig` has them. Pure. */
export function diskMountSettings(mounts: DiskMount[]): MountSettings[] {
  return mounts.map(({ source, target, seeded }) => {
    // Unlike `Binds`, this fails when the source is missing, and does not make an unlimited folder in its place.
    if (!seeded) return { Type: "bind", Source: source, Target: target };
    // Only into volumes does the engine copy what the image has. This one has no name: it goes with its container.
    const DriverConfig = { Name: "local", Options: { type: "none", o: "bind", device: source } };
    return { Type: "volume", Source: "", Target: target, VolumeOptions: { NoCopy: false, Labels: {}, DriverConfig } };
  });
}
