import { randomUUID } from "node:crypto";
import path from "node:path";
import type { Progress } from "../cli/progress.ts";
import type { Config } from "../config.ts";
import { ensureDockerEngine } from "../embedded/docker-engine.ts";
import { hasImage } from "../embedded/engine-image.ts";
import { ensureSandboxImage } from "../embedded/sandbox-image.ts";
import type { Logger } from "../log.ts";
import { writeOnce } from "./write-once.ts";
import { createDockerSandboxProvider } from "../sandbox/docker.ts";
import { keepAttached } from "../sandbox/keep-attached.ts";
import type { SandboxProvider } from "../sandbox/sandbox.ts";

export interface Sandboxes {
  provider: SandboxProvider;
  image: string;
}

/** Makes sure of the engine and the image, then starts to fill the warm pool. */
export async function openSandboxes(
  config: Config,
  log: Logger,
  progress: Progress,
  signal: AbortSignal,
): Promise<Sandboxes> {
  const docker = await ensureDockerEngine({ home: config.home, dockerHost: config.dockerHost, log, progress, signal });
  const named = config.sandbox.image;
  if (named !== null && !(await hasImage(docker, named, signal))) {
    throw new Error(
      `The Docker engine has no image ${named}. Pull or build it there, or mend or unset DECKHAND_SANDBOX_IMAGE.`,
    );
  }
  const image = named ?? (await ensureSandboxImage({ docker, log, progress, signal }));
  const provider = createDockerSandboxProvider({
    docker,
    // Tells this home's containers from another's on the same engine.
    installationId: await writeOnce(path.join(config.home, "installation-id"), randomUUID, 0o644),
    pool: { image, size: config.sandbox.poolSize },
    limits: {
      memoryBytes: config.sandbox.memoryMb * 1024 * 1024,
      cpus: config.sandbox.cpus,
      pids: config.sandbox.pids,
    },
    runtime: config.sandbox.runtime,
    log,
  });
  return { provider: keepAttached(provider), image };
}
