import { randomUUID } from "node:crypto";
import path from "node:path";
import type Docker from "dockerode";
import type { Progress } from "../cli/progress.ts";
import { ensureDockerEngine } from "../embedded/docker-engine.ts";
import { hasImage } from "../embedded/engine-image.ts";
import { ensureSandboxImage } from "../embedded/sandbox-image.ts";
import { DEFAULT_LIMITS } from "../sandbox/container-config.ts";
import { createDockerSandboxProvider } from "../sandbox/docker.ts";
import { assertRuntime, engineRuntimes } from "../sandbox/engine-runtimes.ts";
import type { GatewayDirsOptions } from "../sandbox/gateway-dirs.ts";
import { keepAttached } from "../sandbox/keep-attached.ts";
import type { SandboxProvider, SandboxShape } from "../sandbox/sandbox.ts";
import type { Platform } from "./platform.ts";
import { openSandboxDisks } from "./sandbox-disks.ts";
import { openSandboxWayOut } from "./sandbox-way-out.ts";
import { writeOnce } from "./write-once.ts";

const MIB = 1024 * 1024;

export interface Sandboxes {
  provider: SandboxProvider;
  /** Of sandboxes for which no environment asks for another. */
  shape: SandboxShape;
  docker: Docker;
  /** Tells this home's containers from another's on the same engine. */
  installationId: string;
  wayOut: GatewayDirsOptions;
}

/** Makes sure of the engine and the image, then starts to fill the warm pool. */
export async function openSandboxes(platform: Platform, progress: Progress, signal: AbortSignal): Promise<Sandboxes> {
  const { config, log } = platform;
  const docker = await ensureDockerEngine({ home: config.home, dockerHost: config.dockerHost, log, progress, signal });
  const { runtime } = config.sandbox;
  if (runtime !== null) assertRuntime(runtime, await engineRuntimes(docker, signal), "DECKHAND_SANDBOX_RUNTIME");
  const named = config.sandbox.image;
  if (named !== null && !(await hasImage(docker, named, signal))) {
    throw new Error(
      `The Docker engine has no image ${named}. Pull or build it there, or mend or unset DECKHAND_SANDBOX_IMAGE.`,
    );
  }
  const image = named ?? (await ensureSandboxImage({ docker, log, progress, signal }));
  const shape = {
    image,
    limits: {
      ...DEFAULT_LIMITS,
      memoryBytes: config.sandbox.memoryMb * MIB,
      cpus: config.sandbox.cpus,
      pids: config.sandbox.pids,
      diskBytes: config.sandbox.diskMb * MIB,
    },
    runtime,
  };
  const wayOut = await openSandboxWayOut(platform);
  const installationId = await writeOnce(path.join(config.home, "installation-id"), randomUUID, 0o644);
  const provider = createDockerSandboxProvider({
    docker,
    installationId,
    gateway: wayOut,
    disks: await openSandboxDisks({ docker, home: config.home, image, installationId, log }, signal),
    pool: { shape, size: config.sandbox.poolSize },
    log,
  });
  return { provider: keepAttached(provider), shape, docker, installationId, wayOut };
}
