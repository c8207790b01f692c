import type { ContainerCreateOptions, MountSettings } from "dockerode";
import { SECCOMP_PROFILE } from "./seccomp-profile.ts";
import type { SandboxLimits, SandboxShape } from "./sandbox.ts";

const MIB = 1024 * 1024;

export const DEFAULT_LIMITS: SandboxLimits = {
  memoryBytes: 2048 * MIB,
  cpus: 2,
  pids: 512,
  sharedMemoryBytes: 256 * MIB,
  diskBytes: 10_240 * MIB,
};

/** No more than the kernel's own limit for services: an engine that has less than is asked for starts nothing. */
const OPEN_FILES_MAX = 4_096;
/** Of the runner too. Tools have more: `shell.py`. */
const OOM_SCORE = 200;

/** Where the agent works: on a disk of its own, where there is one. */
export const WORK_DIR = "/workspace";

/** The user whose rights the agent's tools have; another one than that of the container's main process. */
export const TOOL_USER = "1000:1000";

export interface ContainerSpec {
  name: string;
  labels: Record<string, string>;
  shape: SandboxShape;
  mounts: MountSettings[];
}

/**
 * What the engine is asked for. Pure.
 *
 * The main process is root's but without any capability: the tools' user can't signal it, so no tool can end the
 * container. With a disk of its own for the agent's folders, nothing else can be written to; without one the root file
 * system is writable, and outside the agent's own folders all of it is root's (`docs/decisions/0011-loop-mounted-disks.md`).
 */
export function containerConfig({ name, labels, shape, mounts }: ContainerSpec): ContainerCreateOptions {
  const { image, limits, runtime } = shape;
  return {
    name,
    Image: image,
    Cmd: ["sleep", "infinity"],
    User: "0:0",
    WorkingDir: WORK_DIR,
    Hostname: "sandbox",
    Labels: labels,
    // The kernel still gives it a network namespace of its own, with a loopback interface and nothing else. The engine's
    // network code is left out: it takes half of the start, and engines lock up in it when many containers go at once.
    NetworkDisabled: true,
    HostConfig: {
      Init: true,
      NetworkMode: "none",
      CapDrop: ["ALL"],
      SecurityOpt: ["no-new-privileges", `seccomp=${SECCOMP_PROFILE}`],
      Memory: limits.memoryBytes,
      MemorySwap: limits.memoryBytes,
      NanoCpus: Math.round(limits.cpus * 1e9),
      PidsLimit: limits.pids,
      ShmSize: limits.sharedMemoryBytes,
      ReadonlyRootfs: mounts.some(({ Target }) => Target === WORK_DIR),
      LogConfig: { Type: "none", Config: {} },
      Ulimits: [
        { Name: "core", Soft: 0, Hard: 0 },
        { Name: "nofile", Soft: OPEN_FILES_MAX, Hard: OPEN_FILES_MAX },
        // No file grows beyond the disk, also where nothing else keeps the disk's size.
        { Name: "fsize", Soft: limits.diskBytes, Hard: limits.diskBytes },
      ],
      // When the host runs out of memory its own services are to live on.
      OomScoreAdj: OOM_SCORE,
      ...(mounts.length === 0 ? {} : { Mounts: mounts }),
      ...(runtime === null ? {} : { Runtime: runtime }),
    },
  };
}
