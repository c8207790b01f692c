import type { ContainerCreateOptions } from "dockerode";
import type { SandboxLimits, SandboxShape } from "./sandbox.ts";

const MIB = 1024 * 1024;

export const DEFAULT_LIMITS: SandboxLimits = {
  memoryBytes: 2048 * MIB,
  cpus: 2,
  pids: 512,
  sharedMemoryBytes: 256 * MIB,
  diskBytes: 10_240 * MIB,
};

/** The user whose rights the agent's tools have; another one than that of the container's main process. */
export const TOOL_USER = "1000:1000";

export interface ContainerSpec {
  name: string;
  labels: Record<string, string>;
  shape: SandboxShape;
}

/**
 * What the engine is asked for. Pure.
 *
 * The main process is root's but without any capability: the tools' user can't signal it, so no tool can end the
 * container. The root file system is writable, for `docs/decisions/0002-sandbox-disk.md`; outside the agent's own folders all of
 * it is root's.
 */
export function containerConfig({ name, labels, shape }: ContainerSpec): ContainerCreateOptions {
  const { image, limits, runtime } = shape;
  return {
    name,
    Image: image,
    Cmd: ["sleep", "infinity"],
    User: "0:0",
    WorkingDir: "/workspace",
    Hostname: "sandbox",
    Labels: labels,
    // The kernel still gives it a network namespace of its own, with a loopback interface and nothing else. The engine's
    // network code is left out: it takes half of the start, and engines lock up in it when many containers go at once.
    NetworkDisabled: true,
    HostConfig: {
      Init: true,
      NetworkMode: "none",
      CapDrop: ["ALL"],
      SecurityOpt: ["no-new-privileges"],
      Memory: limits.memoryBytes,
      MemorySwap: limits.memoryBytes,
      NanoCpus: Math.round(limits.cpus * 1e9),
      PidsLimit: limits.pids,
      ShmSize: limits.sharedMemoryBytes,
      LogConfig: { Type: "none", Config: {} },
      ...(runtime === null ? {} : { Runtime: runtime }),
    },
  };
}
