import type Docker from "dockerode";
import { z } from "zod";
import { messageOf } from "../errors.ts";
import type { Logger } from "../log.ts";
import { engineCall, isNotFound, killContainer } from "./engine.ts";
import { DISK_LABEL, INSTALLATION_LABEL } from "./labels.ts";
import { RESERVED_BYTES } from "./loop-disks.ts";

/** A tool writes some gigabytes in this time: it is late whatever it is, and asking more often costs more than it saves. */
const LOOK_EVERY_MS = 3_000;
const MIB = 1024 ** 2;

const Sized = z.object({
  Config: z.object({ Labels: z.record(z.string(), z.string()) }),
  /** Left out while nothing has been written. */
  SizeRw: z.number().default(0),
});

/** For engines on which sandboxes have no disks of their own. */
export interface DiskWatch {
  /** Looks once. Happens every few seconds by itself. */
  look(): Promise<void>;
  /** Ends the looking, after the look under way. */
  close(): Promise<void>;
}

export interface DiskWatchOptions {
  docker: Docker;
  installationId: string;
  /** Free bytes where the engine keeps containers; null when that can't be known from here. */
  freeBytes: () => Promise<number | null>;
  log: Logger;
}

/**
 * Kills each running sandbox of the installation that has written more than its disk's size (`DISK_LABEL`), and, while the
 * engine's own disk is below its reserve, the one that has grown most since the last look. Late by nature: what a sandbox
 * writes between two looks is written.
 */
export function createDiskWatch({ docker, installationId, freeBytes, log }: DiskWatchOptions): DiskWatch {
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
    for (const container of await running()) {
      const disk = await diskOf(docker, container, closing.signal);
      if (!disk) continue;
      sizes.set(container, disk.usedBytes);
      if (disk.usedBytes > disk.limitBytes) await end(container, disk.usedBytes, "sandbox over its disk size ended");
    }
    const growth = [...sizes].map(([container, size]) => ({
      container,
      size,
      by: size - (before.get(container) ?? size),
    }));
    before = sizes;
    const free = await freeBytes();
    if (free === null || free >= RESERVED_BYTES) return;
    const most = growth
      .filter(({ by }) => by > 0)
      .sort((one, other) => other.by - one.by)
      .at(0);
    if (most) await end(most.container, most.size, "sandbox ended that grew while the engine's disk is almost full");
  }

  async function running(): Promise<string[]> {
    const label = [`${INSTALLATION_LABEL}=${installationId}`, DISK_LABEL];
    const filters = JSON.stringify({ label, status: ["running"] });
    const containers = await engineCall("list", (abortSignal) => docker.listContainers({ filters, abortSignal }), {
      signal: closing.signal,
    });
    return containers.map(({ Id }) => Id);
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
export async function overfullDisk(docker: Docker, container: string, signal: AbortSignal): Promise<string | null> {
  const disk = await diskOf(docker, container, signal);
  if (!disk || disk.usedBytes <= disk.limitBytes) return null;
  return `the sandbox's disk was full (${Math.ceil(disk.usedBytes / MIB)} MB of ${Math.floor(disk.limitBytes / MIB)} MB)`;
}

async function diskOf(docker: Docker, container: string, signal: AbortSignal) {
  try {
    const inspected = await engineCall(
      "inspect with size",
      (abortSignal) => {
        const sized = { size: true, abortSignal };
        return docker.getContainer(container).inspect(sized);
      },
      { signal },
    );
    const { Config, SizeRw } = Sized.parse(inspected);
    const limitBytes = Number(Config.Labels[DISK_LABEL]);
    return Number.isSafeInteger(limitBytes) ? { limitBytes, usedBytes: SizeRw } : null;
  } catch (error) {
    if (isNotFound(error)) return null;
    throw error;
  }
}
