import { statfs } from "node:fs/promises";
import type Docker from "dockerode";
import type { Container, ContainerInfo } from "dockerode";
import { z } from "zod";
import { messageOf } from "../errors.ts";
import type { Logger } from "../log.ts";
import { engineCall, isNotFound, killContainer } from "./engine.ts";
import { DISK_LABEL, INSTALLATION_LABEL, SLOT_LABEL } from "./labels.ts";
import { RESERVED_BYTES } from "./loop-disks.ts";
import type { SandboxDisks } from "./sandbox-disks.ts";

/** A tool writes some gigabytes in this time: it is late whatever it is, and asking more often costs more than it saves. */
const LOOK_EVERY_MS = 3_000;
const MIB = 1024 ** 2;

const LocalEngine = z.object({ socketPath: z.string().min(1) });
const EngineInfo = z.object({ DockerRootDir: z.string() });
const Sized = z.object({
  Config: z.object({ Labels: z.record(z.string(), z.string()) }),
  /** Left out while nothing has been written. */
  SizeRw: z.number().default(0),
});

/** Keeps sandboxes from filling the engine's disk where nothing stronger does. */
export interface DiskWatch {
  /** Looks once. Happens every few seconds by itself. */
  look(): Promise<void>;
  /** Ends the looking, after the look under way. */
  close(): Promise<void>;
}

export interface DiskWatchOptions {
  docker: Docker;
  installationId: string;
  /** Null where sandboxes have none of their own. */
  disks: SandboxDisks | null;
  /** Free bytes where the engine keeps containers; null when that can't be known from here. */
  freeBytes?: () => Promise<number | null>;
  log: Logger;
}

/**
 * Kills each running sandbox without a disk of its own that has written more than it may (`DISK_LABEL`), and, while the
 * host's space is below its reserve, whichever of all sandboxes has grown most since the last look: together their disks
 * may promise more than there is. Late by nature: what is written between two looks is written.
 */
export function createDiskWatch(options: DiskWatchOptions): DiskWatch {
  const { docker, installationId, disks, freeBytes = () => engineFreeBytes(docker), log } = options;
  const closing = new AbortController();
  /** At the last look, by container. */
  let before = new Map<string, number>();
  let looking: Promise<void> | null = null;
  const timer = setInterval(() => {
    look().catch((error: unknown) => {
      if (!closing.signal.aborted) log.warn({ error: messageOf(error) }, "disk use of sandboxes not looked at");
    });
  }, LOOK_EVERY_MS).unref();

  return {
    look,
    async close() {
      clearInterval(timer);
      closing.abort(new Error("The disk watch was closed."));
      await looking?.catch(() => {});
    },
  };

  /** One at a time: on a large disk a look may take longer than the time between two. */
  function look(): Promise<void> {
    looking ??= lookOnce().finally(() => (looking = null));
    return looking;
  }

  async function lookOnce(): Promise<void> {
    const sizes = new Map<string, number>();
    for (const { Id, Labels } of await running()) {
      const used = DISK_LABEL in Labels ? await endOverfull(Id) : await disks?.usedBytes(Labels[SLOT_LABEL] ?? "");
      if (used !== undefined) sizes.set(Id, used);
    }
    const growth = [...sizes].map(([container, size]) => ({
      container,
      size,
      by: size - (before.get(container) ?? size),
    }));
    before = sizes;
    const free = Math.min((await freeBytes()) ?? Infinity, (await disks?.freeBytes()) ?? Infinity);
    if (free >= RESERVED_BYTES) return;
    const most = growth
      .filter(({ by }) => by > 0)
      .sort((one, other) => other.by - one.by)
      .at(0);
    if (most) await end(most.container, most.size, "sandbox ended that grew while the engine's disk is almost full");
  }

  async function running(): Promise<ContainerInfo[]> {
    const label = [`${INSTALLATION_LABEL}=${installationId}`, SLOT_LABEL];
    const filters = JSON.stringify({ label, status: ["running"] });
    return engineCall("list", (abortSignal) => docker.listContainers({ filters, abortSignal }), {
      signal: closing.signal,
    });
  }

  /** What it has written; nothing when it is gone. */
  async function endOverfull(container: string): Promise<number | undefined> {
    const disk = await diskOf(docker.getContainer(container), closing.signal);
    if (disk && disk.usedBytes > disk.limitBytes)
      await end(container, disk.usedBytes, "sandbox over its disk size ended");
    return disk?.usedBytes;
  }

  async function end(container: string, usedBytes: number, message: string): Promise<void> {
    await killContainer(docker.getContainer(container));
    log.warn({ container, usedBytes }, message);
  }
}

/**
 * Why a sandbox without a disk of its own was, or has to be, ended: text for the agent when it has written more than it
 * may; null when it hasn't, or is gone. Works in whichever process asks, not only in that of the watch.
 */
export async function overfullDisk(container: Container, signal?: AbortSignal): Promise<string | null> {
  const disk = await diskOf(container, signal);
  if (!disk || disk.usedBytes <= disk.limitBytes) return null;
  return `its disk was full (${Math.ceil(disk.usedBytes / MIB)} MB of ${Math.floor(disk.limitBytes / MIB)} MB)`;
}

async function diskOf(container: Container, signal?: AbortSignal) {
  try {
    const inspected = await engineCall(
      "inspect with size",
      (abortSignal) => {
        const sized = { size: true, abortSignal };
        return container.inspect(sized);
      },
      { ...(signal ? { signal } : {}) },
    );
    const { Config, SizeRw } = Sized.parse(inspected);
    const limitBytes = Number(Config.Labels[DISK_LABEL]);
    return Number.isSafeInteger(limitBytes) ? { limitBytes, usedBytes: SizeRw } : null;
  } catch (error) {
    if (isNotFound(error)) return null;
    throw error;
  }
}

/** Free bytes where the engine keeps containers; null when it is not on this machine, or its folder can't be seen. */
async function engineFreeBytes(docker: Docker): Promise<number | null> {
  if (!LocalEngine.safeParse(docker.modem).success) return null;
  const { DockerRootDir } = EngineInfo.parse(await engineCall("info", () => docker.info()));
  try {
    const { bavail, bsize } = await statfs(DockerRootDir);
    return bavail * bsize;
  } catch {
    return null;
  }
}
