import { randomUUID } from "node:crypto";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import type { Progress } from "../cli/progress.ts";
import type { Config } from "../config.ts";
import { ensureDockerEngine } from "../embedded/docker-engine.ts";
import { ensureSandboxImage } from "../embedded/sandbox-image.ts";
import type { Logger } from "../log.ts";
import { createDockerSandboxProvider, type DockerSandboxProvider } from "../sandbox/docker.ts";

export interface Sandboxes {
  provider: DockerSandboxProvider;
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
  const image = config.sandbox.image ?? (await ensureSandboxImage({ docker, log, progress, signal }));
  const provider = createDockerSandboxProvider({
    docker,
    installationId: await installationId(config.home),
    pool: { image, size: config.sandbox.poolSize },
    limits: {
      memoryBytes: config.sandbox.memoryMb * 1024 * 1024,
      cpus: config.sandbox.cpus,
      pids: config.sandbox.pids,
    },
    runtime: config.sandbox.runtime,
    log,
  });
  return { provider, image };
}

/** Generated once per home: tells this installation's containers from another's on the same engine. */
async function installationId(home: string): Promise<string> {
  const file = path.join(home, "installation-id");
  await mkdir(home, { recursive: true });
  try {
    await writeFile(file, randomUUID(), { flag: "wx" });
  } catch (error) {
    if (!(error instanceof Error && "code" in error && error.code === "EEXIST")) throw error;
  }
  return (await readFile(file, "utf8")).trim();
}
