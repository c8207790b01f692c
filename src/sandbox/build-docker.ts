import type Docker from "dockerode";
import type { Container } from "dockerode";
import { messageOf } from "../errors.ts";
import type { Logger } from "../log.ts";
import { buildContainerConfig, buildContainerName, buildSlotOf, restoreConfig } from "./build-container.ts";
import { watchBuildDisk } from "./build-disk-watch.ts";
import { lastLines, runScript, type Script } from "./build-exec.ts";
import { type ImageBuild, type ImageBuilder, PackagesFailedError } from "./build-image.ts";
import { BUILD_ENV, buildSteps, CLEAN_UP, PREPARE } from "./build-steps.ts";
import { engineCall, isConflict, isNotFound, removeContainer } from "./engine.ts";
import { EGRESS_DIR, type GatewayDirs } from "./gateway-dirs.ts";
import { INSTALLATION_LABEL } from "./labels.ts";

const REPOSITORY = "deckhand/environment";
/** The runner's forwarder, given the socket that package managers are told to connect to. */
const FORWARDER = `
import os, socket, sys
listener = socket.create_server(("127.0.0.1", 3128))
os.set_inheritable(listener.fileno(), True)
program = [sys.executable, "-E", "-s", "-S", "/opt/deckhand/runner/forwarder.py", str(listener.fileno())]
os.execv(sys.executable, [*program, "${EGRESS_DIR}/gateway.sock"])`;
const FORWARDER_COMMAND = ["python3", "-E", "-s", "-S", "-c", FORWARDER];
const START_TIMEOUT_MS = 60_000;
const COMMIT_TIMEOUT_MS = 10 * 60_000;
const STEP_TIMEOUT_MS = 15 * 60_000;
/** A process that the kernel killed, which it does for want of memory. */
const KILLED = 137;

export interface DockerImageBuilderOptions {
  docker: Docker;
  installationId: string;
  /** Null for builds without a way out. */
  gatewayDirs: Pick<GatewayDirs, "make" | "remove"> | null;
  stepTimeoutMs?: number;
  log: Logger;
}

/** Installs packages in a container of their own, whose disk then becomes the image. */
export function createDockerImageBuilder(options: DockerImageBuilderOptions): ImageBuilder {
  const { docker, installationId, gatewayDirs, log, stepTimeoutMs = STEP_TIMEOUT_MS } = options;
  const label = [`${INSTALLATION_LABEL}=${installationId}`];

  return {
    async imageId(image, signal) {
      return (await inspectImage(image, signal))?.Id ?? null;
    },

    async find(hash, signal) {
      const image = `${REPOSITORY}:${hash}`;
      return (await inspectImage(image, signal)) && image;
    },

    async build(build) {
      const base = await inspectImage(build.baseImage, build.signal);
      if (!base) throw new Error(`The Docker engine has no image ${build.baseImage}.`);
      try {
        const container = await create(build, base.Id);
        await start(container, build.signal);
        await install(container, build);
        return await commit(container, build.hash, restoreConfig(base.Config), build.signal);
      } finally {
        await discard(build.slot).catch((error) => {
          log.warn({ slot: build.slot, error: messageOf(error) }, "container of a build not removed");
        });
      }
    },

    async list() {
      const filters = JSON.stringify({ label, reference: [REPOSITORY] });
      const images = await engineCall("list images", () => docker.listImages({ filters }));
      return images
        .flatMap(({ RepoTags }) => RepoTags ?? [])
        .flatMap((image) => {
          const [repository, hash] = image.split(":");
          return repository === REPOSITORY && hash ? [{ image, hash }] : [];
        });
    },

    async remove(image) {
      try {
        await engineCall("remove image", () => docker.getImage(image).remove());
        return true;
      } catch (error) {
        if (isConflict(error)) return false;
        if (isNotFound(error)) return true;
        throw error;
      }
    },

    async slots() {
      const filters = JSON.stringify({ label });
      const containers = await engineCall("list", (abortSignal) =>
        docker.listContainers({ all: true, filters, abortSignal }),
      );
      return containers.flatMap(({ Names }) =>
        Names.flatMap((name) => buildSlotOf(installationId, name.slice(1)) ?? []),
      );
    },

    discard,
  };

  async function inspectImage(image: string, signal: AbortSignal) {
    try {
      return await engineCall("inspect image", () => docker.getImage(image).inspect(), { signal });
    } catch (error) {
      if (isNotFound(error)) return null;
      throw error;
    }
  }

  async function create({ slot, limits, signal }: ImageBuild, baseImageId: string): Promise<Container> {
    signal.throwIfAborted();
    const gatewayFolder = (await gatewayDirs?.make(slot)) ?? null;
    const config = buildContainerConfig({ installationId, slot, baseImageId, limits, gatewayFolder });
    // Not ended by the signal: a request that was cut off may have made a container all the same.
    return engineCall("create", (abortSignal) => docker.createContainer({ ...config, abortSignal }));
  }

  async function start(container: Container, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    await engineCall("start", (abortSignal) => container.start({ abortSignal }), { timeoutMs: START_TIMEOUT_MS });
    const exec = await engineCall("exec create", () => container.exec({ Cmd: FORWARDER_COMMAND, User: "0:0" }), {
      signal,
    });
    await engineCall("exec start", () => exec.start({ Detach: true }), { signal });
  }

  async function install(container: Container, { packages, limits, signal, onStep }: ImageBuild): Promise<void> {
    await run(container, "prepare", { script: PREPARE, args: [] }, limits.diskBytes, signal);
    for (const step of buildSteps(packages)) {
      await onStep(step.name);
      log.info({ container: container.id, step: step.name }, "environment build step");
      await run(container, step.name, step, limits.diskBytes, signal);
    }
    await run(container, "clean up", { script: CLEAN_UP, args: [] }, limits.diskBytes, signal);
  }

  async function run(
    container: Container,
    step: string,
    script: Omit<Script, "env">,
    diskBytes: number,
    signal: AbortSignal,
  ): Promise<void> {
    const ending = new AbortController();
    const end = (message: string, output = "") => ending.abort(new PackagesFailedError(step, message, output));
    const timer = setTimeout(() => end(`It took more than ${stepTimeoutMs / 1000} s.`), stepTimeoutMs);
    const watch = watchBuildDisk(container, diskBytes, { onFull: end, log });
    try {
      const either = AbortSignal.any([signal, ending.signal]);
      const { exitCode, output } = await runScript(container, { ...script, env: BUILD_ENV }, either);
      if (exitCode === 0) return;
      const killed = exitCode === KILLED ? ", killed, perhaps for want of memory" : "";
      throw new PackagesFailedError(step, `It ended with code ${exitCode}${killed}.`, lastLines(output));
    } finally {
      clearTimeout(timer);
      watch.stop();
    }
  }

  async function commit(container: Container, hash: string, changes: string, signal: AbortSignal): Promise<string> {
    signal.throwIfAborted();
    await engineCall(
      "commit",
      (abortSignal) => container.commit({ repo: REPOSITORY, tag: hash, changes, pause: true, abortSignal }),
      { timeoutMs: COMMIT_TIMEOUT_MS },
    );
    return `${REPOSITORY}:${hash}`;
  }

  async function discard(slot: string): Promise<void> {
    await removeContainer(docker.getContainer(buildContainerName(installationId, slot)));
    await gatewayDirs?.remove(slot);
  }
}
