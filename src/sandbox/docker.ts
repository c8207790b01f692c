import { randomBytes } from "node:crypto";
import type Docker from "dockerode";
import type { Container } from "dockerode";
import { messageOf } from "../errors.ts";
import type { Logger } from "../log.ts";
import { containerConfig } from "./container-config.ts";
import { DockerSandbox } from "./docker-sandbox.ts";
import {
  containerState,
  engineCall,
  isNotFound,
  killContainer,
  pauseContainer,
  removeContainer,
  stopContainer,
} from "./engine.ts";
import { containerNames, INSTALLATION_LABEL, POOL_LABEL } from "./labels.ts";
import { removePoolOrphans } from "./pool-orphans.ts";
import { createPool } from "./pool.ts";
import { Runner } from "./runner.ts";
import type { SandboxProvider, SandboxShape } from "./sandbox.ts";

const START_TIMEOUT_MS = 60_000;
const ORPHAN_SWEEP_INTERVAL_MS = 60_000;
const CONTAINER_ID = /^[0-9a-f]{12,64}$/;

export interface DockerSandboxProviderOptions {
  docker: Docker;
  /** Tells this installation's containers from those of another one on the same engine. */
  installationId: string;
  /** Shape and number of the sandboxes kept ready. */
  pool: { shape: SandboxShape; size: number };
  log: Logger;
  now?: () => number;
}

export interface DockerSandboxProvider extends SandboxProvider {
  /** Resolves when the pool is full, or filling it has failed: for tests and benchmarks. */
  poolFilled(): Promise<void>;
  /** Removes the pools of processes that died. Happens at the start and once a minute by itself. */
  removePoolOrphans(): Promise<void>;
}

/** Sandboxes as hardened containers without a network. Starts to fill its pool at once. */
export function createDockerSandboxProvider(options: DockerSandboxProviderOptions): DockerSandboxProvider {
  const { docker, installationId, log, now = Date.now } = options;
  const names = containerNames(installationId);
  const owner = randomBytes(8).toString("hex");
  const attached = new Set<DockerSandbox>();
  const pool = createPool({
    ...options.pool,
    make: (shape, signal) => make(names.forPool(), shape, { [POOL_LABEL]: owner }, signal),
    discard: destroySandbox,
    log,
  });
  const sweeper = setInterval(() => void sweepOrphans(), ORPHAN_SWEEP_INTERVAL_MS).unref();
  void sweepOrphans(); // catches its own errors

  return {
    async provision({ sessionId, shape }, signal) {
      signal.throwIfAborted();
      const name = names.forSession(sessionId);
      const pooled = await pool.claim(shape);
      if (!pooled) return make(name, shape, {}, signal);
      try {
        await engineCall("rename", (abortSignal) => docker.getContainer(pooled.ref).rename({ name, abortSignal }), {
          signal,
        });
        return pooled;
      } catch (error) {
        await destroySandbox(pooled);
        signal.throwIfAborted();
        log.warn({ container: pooled.ref, error: messageOf(error) }, "pooled sandbox not claimed");
        return make(name, shape, {}, signal);
      }
    },

    async attach(ref, signal) {
      signal.throwIfAborted();
      const found = await findOurs(ref, signal);
      if (!found) return null;
      const { container, image } = found;
      const runner = (await join(container, signal)) ?? (await join(container, signal));
      if (!runner) {
        log.warn({ container: ref }, "sandbox does not answer after a restart: removed");
        await removeContainer(container);
        return null;
      }
      return track(container, image, runner);
    },

    async pause(ref) {
      if (CONTAINER_ID.test(ref)) await pauseContainer(docker.getContainer(ref));
    },

    async stop(ref) {
      if (CONTAINER_ID.test(ref)) await stopContainer(docker.getContainer(ref));
    },

    async destroy(ref) {
      if (CONTAINER_ID.test(ref)) await removeContainer(docker.getContainer(ref));
    },

    async list() {
      const containers = await listOurs();
      return containers.flatMap(({ Id, Names }) => {
        const sessionId = Names.map((name) => names.sessionOf(name.slice(1))).find((found) => found !== null);
        return sessionId ? [{ ref: Id, sessionId }] : [];
      });
    },

    async close() {
      clearInterval(sweeper);
      await pool.close();
      await Promise.all([...attached].map((sandbox) => sandbox.detach()));
    },

    poolFilled: () => pool.filled(),
    removePoolOrphans: removeOrphans,
  };

  /** A new container, started, with its runner attached. Leaves none behind when it fails or is aborted. */
  async function make(name: string, shape: SandboxShape, labels: Record<string, string>, signal: AbortSignal) {
    const config = containerConfig({
      name,
      labels: { ...labels, [INSTALLATION_LABEL]: installationId },
      shape,
    });
    // Not ended by the signal: a request that was cut off may have made a container all the same, and who would know it?
    const container = await engineCall("create", (abortSignal) => docker.createContainer({ ...config, abortSignal }));
    try {
      signal.throwIfAborted();
      await start(container);
      signal.throwIfAborted();
      return track(container, shape.image, await Runner.open(container, log, signal));
    } catch (error) {
      await removeQuietly(container);
      signal.throwIfAborted();
      throw error;
    }
  }

  /** For when another error is on its way to the caller. */
  async function removeQuietly(container: Container): Promise<void> {
    try {
      await removeContainer(container);
    } catch (error) {
      log.warn({ container: container.id, error: messageOf(error) }, "sandbox not removed");
    }
  }

  function track(container: Container, image: string, runner: Runner): DockerSandbox {
    const sandbox = new DockerSandbox(container, { image, gatewayId: null }, runner, (detached) =>
      attached.delete(detached),
    );
    attached.add(sandbox);
    return sandbox;
  }

  async function findOurs(ref: string, signal: AbortSignal): Promise<{ container: Container; image: string } | null> {
    if (!CONTAINER_ID.test(ref)) return null;
    const container = docker.getContainer(ref);
    try {
      const { Config } = await engineCall("inspect", (abortSignal) => container.inspect({ abortSignal }), { signal });
      return Config.Labels[INSTALLATION_LABEL] === installationId ? { container, image: Config.Image } : null;
    } catch (error) {
      if (isNotFound(error)) return null;
      throw error;
    }
  }

  /**
   * The runner of a container that may have been stopped or paused: its files are still there, so it is started again.
   * Null, with the container killed, when no runner can be made to answer.
   */
  async function join(container: Container, signal: AbortSignal): Promise<Runner | null> {
    const state = await containerState(container, signal);
    if (state === "gone") return null;
    if (state === "paused")
      await engineCall("unpause", (abortSignal) => container.unpause({ abortSignal }), { signal });
    if (state === "stopped") await start(container);
    try {
      return await Runner.open(container, log, signal);
    } catch (error) {
      signal.throwIfAborted();
      log.warn({ container: container.id, error: messageOf(error) }, "runner could not be reached");
      await killContainer(container);
      return null;
    }
  }

  async function start(container: Container): Promise<void> {
    await engineCall("start", (abortSignal) => container.start({ abortSignal }), { timeoutMs: START_TIMEOUT_MS });
  }

  async function destroySandbox(sandbox: DockerSandbox): Promise<void> {
    await sandbox.detach();
    await removeContainer(docker.getContainer(sandbox.ref));
  }

  function listOurs() {
    const filters = JSON.stringify({ label: [`${INSTALLATION_LABEL}=${installationId}`] });
    return engineCall("list", (abortSignal) => docker.listContainers({ all: true, filters, abortSignal }));
  }

  function removeOrphans(): Promise<void> {
    return removePoolOrphans({ docker, installationId, names, owner, log, now });
  }

  async function sweepOrphans(): Promise<void> {
    try {
      await removeOrphans();
    } catch (error) {
      log.warn({ error: messageOf(error) }, "orphaned pool members not looked for");
    }
  }
}
