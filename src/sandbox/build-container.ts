import type { ContainerCreateOptions } from "dockerode";
import { EGRESS_DIR } from "./gateway-dirs.ts";
import { INSTALLATION_LABEL, SLOT_LABEL } from "./labels.ts";
import type { SandboxLimits } from "./sandbox.ts";

/** What package managers need of root: files with other owners, and maintainer scripts that become other users. */
const CAPABILITIES = ["CHOWN", "DAC_OVERRIDE", "FOWNER", "FSETID", "SETGID", "SETUID"];

export interface BuildContainerSpec {
  installationId: string;
  slot: string;
  /** By id: a name may come to mean another image meanwhile. */
  baseImageId: string;
  limits: SandboxLimits;
  /** On the engine's host; null for a build without a way out. */
  gatewayFolder: string | null;
}

/** The slot of a build, from its container's name; null for any other name. */
export function buildSlotOf(installationId: string, name: string): string | null {
  const prefix = namePrefix(installationId);
  return name.startsWith(prefix) ? name.slice(prefix.length) : null;
}

export function buildContainerName(installationId: string, slot: string): string {
  return namePrefix(installationId) + slot;
}

const namePrefix = (installationId: string) => `deckhand.${installationId}.build.`;

/**
 * As hard as a sandbox, but for a few capabilities: what is installed runs code of its own here. The engine's own runtime,
 * since others keep what is written where the engine does not find it. Pure.
 */
export function buildContainerConfig(spec: BuildContainerSpec): ContainerCreateOptions {
  const { installationId, slot, baseImageId, limits, gatewayFolder } = spec;
  return {
    name: buildContainerName(installationId, slot),
    Image: baseImageId,
    Entrypoint: [""], // the image's own, if any, is put aside
    Cmd: ["sleep", "infinity"],
    User: "0:0",
    Hostname: "build",
    Labels: { [INSTALLATION_LABEL]: installationId, [SLOT_LABEL]: slot },
    NetworkDisabled: true,
    HostConfig: {
      Init: true,
      NetworkMode: "none",
      CapDrop: ["ALL"],
      CapAdd: CAPABILITIES,
      SecurityOpt: ["no-new-privileges"],
      Memory: limits.memoryBytes,
      MemorySwap: limits.memoryBytes,
      NanoCpus: Math.round(limits.cpus * 1e9),
      PidsLimit: limits.pids,
      ShmSize: limits.sharedMemoryBytes,
      Ulimits: [
        { Name: "core", Soft: 0, Hard: 0 },
        { Name: "fsize", Soft: limits.diskBytes, Hard: limits.diskBytes },
      ],
      LogConfig: { Type: "none", Config: {} },
      ...(gatewayFolder !== null && {
        Mounts: [{ Type: "bind" as const, Source: gatewayFolder, Target: EGRESS_DIR, ReadOnly: true }],
      }),
    },
  };
}

/** What of an image's config a container made from it may have overridden. */
export interface ImageConfig {
  User?: string | undefined;
  Entrypoint?: string | string[] | null | undefined;
  Cmd?: string[] | null | undefined;
}

/**
 * Instructions, as of a Dockerfile, that give the image of a build its base image's config back. The slot is the build's
 * and nobody's after it. Pure.
 */
export function restoreConfig({ User, Entrypoint, Cmd }: ImageConfig): string {
  const entrypoint = typeof Entrypoint === "string" ? [Entrypoint] : (Entrypoint ?? []);
  return [
    `USER ${User || "root"}`,
    ...(entrypoint.length > 0 ? [`ENTRYPOINT ${JSON.stringify(entrypoint)}`] : []),
    `CMD ${JSON.stringify(Cmd ?? [])}`,
    `LABEL ${SLOT_LABEL}=""`,
  ].join("\n");
}
