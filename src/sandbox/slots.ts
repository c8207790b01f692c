import path from "node:path";
import type Docker from "dockerode";
import type { MountSettings } from "dockerode";
import { messageOf } from "../errors.ts";
import type { Logger } from "../log.ts";
import { engineCall } from "./engine.ts";
import { EGRESS_DIR, type GatewayDirs, HOSTS_FILE } from "./gateway-dirs.ts";
import { newSlot, SLOT_LABEL } from "./labels.ts";
import { diskMountSettings, type SandboxDisks } from "./sandbox-disks.ts";

/** Whoever makes a container makes the slot first, so one without a container may be about to get it. */
const ORPHANED_FOR_MS = 60_000;

/** What a container has on the host, under the name of its slot. */
export interface Slots {
  /** Leaves nothing behind when it fails. */
  make(diskBytes: number): Promise<{ slot: string; mounts: MountSettings[] }>;
  /** Makes sure of what a restart of the host took away; false when the disk is gone for good. */
  ensure(slot: string, has: { disk: boolean }): Promise<boolean>;
  /** Idempotent. */
  remove(slot: string): Promise<void>;
  /** Removes what has been without a container for a minute. It looks for containers of every installation. */
  removeOrphans(): Promise<void>;
}

export interface SlotsOptions {
  docker: Docker;
  /** Null for sandboxes without a way out. */
  gatewayDirs: GatewayDirs | null;
  /** Null where the worker can make none. */
  disks: SandboxDisks | null;
  log: Logger;
  now: () => number;
}

export function createSlots({ docker, gatewayDirs, disks, log, now }: SlotsOptions): Slots {
  /** Since when each was seen without a container. */
  const orphanedSince = new Map<string, number>();

  return {
    async make(diskBytes) {
      const slot = newSlot();
      try {
        const folder = await gatewayDirs?.make(slot);
        const mounts = disks ? diskMountSettings(await disks.create(slot, diskBytes)) : [];
        if (folder) {
          mounts.push(
            { Type: "bind", Source: folder, Target: EGRESS_DIR, ReadOnly: true },
            { Type: "bind", Source: path.join(folder, HOSTS_FILE), Target: "/etc/hosts", ReadOnly: true },
          );
        }
        return { slot, mounts };
      } catch (error) {
        await remove(slot).catch((failure) => log.warn({ slot, error: messageOf(failure) }, "slot not removed"));
        throw error;
      }
    },

    async ensure(slot, has) {
      await gatewayDirs?.make(slot);
      return !has.disk || disks === null || disks.ensure(slot);
    },

    remove,

    async removeOrphans() {
      const [folders, images] = await Promise.all([gatewayDirs?.list() ?? [], disks?.list() ?? []]);
      // Asked after that: whoever has made a container meanwhile is in the answer.
      const inUse = await slotsInUse();
      const orphans = new Set([...folders, ...images].filter((slot) => !inUse.has(slot)));
      for (const slot of orphanedSince.keys()) if (!orphans.has(slot)) orphanedSince.delete(slot);
      for (const slot of orphans) {
        const since = orphanedSince.get(slot) ?? now();
        orphanedSince.set(slot, since);
        if (now() - since < ORPHANED_FOR_MS) continue;
        await remove(slot);
        orphanedSince.delete(slot);
        log.info({ slot }, "orphaned slot removed");
      }
    },
  };

  async function remove(slot: string): Promise<void> {
    await Promise.all([gatewayDirs?.remove(slot), disks?.remove(slot)]);
  }

  async function slotsInUse(): Promise<Set<string | undefined>> {
    const filters = JSON.stringify({ label: [SLOT_LABEL] });
    const containers = await engineCall("list", (abortSignal) =>
      docker.listContainers({ all: true, filters, abortSignal }),
    );
    return new Set(containers.map(({ Labels }) => Labels[SLOT_LABEL]));
  }
}
