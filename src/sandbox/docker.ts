import { randomBytes } from "node:crypto";
import type Docker from "dockerode";
import { messageOf } from "../errors.ts";
import type { Logger } from "../log.ts";
import { createDiskWatch, overfullDisk } from "./disk-watch.ts";
import { DockerSandbox } from "./docker-sandbox.ts";
import { containerState, engineCall, killContainer, pauseContainer, stopContainer } from "./engine.ts";
import { createGatewayDirs, type GatewayDirsOptions } from "./gateway-dirs.ts";
import { containerNames, POOL_LABEL } from "./labels.ts";
import { removePoolOrphans } from "./pool-orphans.ts";
import { createPool } from "./pool.ts";
import { Runner } from "./runner.ts";
import type { SandboxProvider, SandboxShape } from "./sandbox.ts";
import { createSandboxContainers, type NewContainer, type SandboxContainer } from "./sandbox-containers.ts";
import type { SandboxDisks } from "./sandbox-disks.ts";
import { createSlots } from "./slots.ts";

const ORPHAN_SWEEP_INTERVAL_MS = 60_000;
const CONTAINER_ID = /^[0-9a-f]{12,64}$/;

export interface DockerSandboxProviderOptions {
  docker: Docker;
  /** Tells this installation's containers from those of another one on the same engine. */
  installationId: string;
  /** Shape and number of the sandboxes kept ready. */
  pool: { shape: SandboxShape; size: number };
  /** Where sandboxes meet the gateway; null for sandboxes without a way out. */
  gateway?: GatewayDirsOptions | null;
  /** What keeps disks to their size; null where there is nothing that can. */
  disks?: SandboxDisks | null;
  log: Logger;
  now?: () => number;
}

export interface DockerSandboxProvider extends SandboxProvider {
  /** Resolves when the pool is full, or filling it has failed: for tests and benchmarks. */
  poolFilled(): Promise<void>;
  /**
   * Removes the pools of processes that died, and what is left on the host of containers that are gone. Happens at the
   * start and once a minute by itself.
   */
  removeOrphans(): Promise<void>;
}

/** Sandboxes as hardened containers without a network. Starts to fill its pool at once. */
export function createDockerSandboxProvider(options: DockerSandboxProviderOptions): DockerSandboxProvider {
  const { docker, installationId, gateway, disks = null, log, now = Date.now } = options;
  const names = containerNames(installationId);
  const owner = randomBytes(8).toString("hex");
  const attached = new Set<DockerSandbox>();
  const slots = createSlots({ docker, gatewayDirs: gateway ? createGatewayDirs(gateway) : null, disks, log, now });
  const watch = createDiskWatch({ docker, installationId, disks, log });
  const containers = createSandboxContainers({ docker, installationId, slots, log });
  const pool = createPool({
    ...options.pool,
    make: (shape, signal) => make({ name: names.forPool(), shape, labels: { [POOL_LABEL]: owner } }, signal),
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
      if (!pooled) return makeAndKeepReady(name, shape, signal);
      try {
        await engineCall("rename", (abortSignal) => docker.getContainer(pooled.ref).rename({ name, abortSignal }), {
          signal,
        });
        return pooled;
      } catch (error) {
        await destroySandbox(pooled);
        signal.throwIfAborted();
        log.warn({ container: pooled.ref, error: messageOf(error) }, "pooled sandbox not claimed");
        return makeAndKeepReady(name, shape, signal);
      }
    },

    async attach(ref, signal) {
      signal.throwIfAborted();
      const found = CONTAINER_ID.test(ref) ? await containers.find(ref, signal) : null;
      if (!found) return null;
      const runner = (await join(found, signal)) ?? (await join(found, signal));
      if (!runner) {
        log.warn({ container: ref }, "sandbox could not be used again: removed");
        await containers.remove(found);
        return null;
      }
      return track(found, runner);
    },

    async pause(ref) {
      if (CONTAINER_ID.test(ref)) await pauseContainer(docker.getContainer(ref));
    },

    async stop(ref) {
      if (CONTAINER_ID.test(ref)) await stopContainer(docker.getContainer(ref));
    },

    destroy,

    async list() {
      return (await containers.list()).flatMap(({ Id, Names }) => {
        const sessionId = Names.map((name) => names.sessionOf(name.slice(1))).find((found) => found !== null);
        return sessionId ? [{ ref: Id, sessionId }] : [];
      });
    },

    async close() {
      clearInterval(sweeper);
      await watch.close();
      await pool.close();
      await Promise.all([...attached].map((sandbox) => sandbox.detach()));
    },

    poolFilled: () => pool.filled(),
    removeOrphans,
  };

  async function makeAndKeepReady(name: string, shape: SandboxShape, signal: AbortSignal): Promise<DockerSandbox> {
    const made = await make({ name, shape, labels: {} }, signal);
    pool.keepReady(shape);
    return made;
  }

  /** A new container, started, with its runner attached. Leaves none behind when it fails or is aborted. */
  async function make(spec: NewContainer, signal: AbortSignal): Promise<DockerSandbox> {
    const made = await containers.make(spec, signal);
    try {
      return track(made, await Runner.open(made.container, log, signal));
    } catch (error) {
      await containers.removeQuietly(made);
      signal.throwIfAborted();
      throw error;
    }
  }

  function track(found: SandboxContainer, runner: Runner): DockerSandbox {
    const sandbox = new DockerSandbox(found, runner, (detached) => attached.delete(detached));
    attached.add(sandbox);
    return sandbox;
  }

  /**
   * The runner of a container that may have been stopped or paused: its files are still there, so it is started again.
   * Null, with the container killed, when no runner can be made to answer.
   */
  async function join(found: SandboxContainer, signal: AbortSignal): Promise<Runner | null> {
    const { container } = found;
    const state = await containerState(container, signal);
    if (state === "gone") return null;
    if (state === "paused")
      await engineCall("unpause", (abortSignal) => container.unpause({ abortSignal }), { signal });
    if (state === "stopped") {
      // It would only be ended again, having written some more.
      const overfull = found.hasDisk ? null : await overfullDisk(container, signal);
      if (overfull !== null || !(await containers.start(found))) return null;
    }
    try {
      return await Runner.open(container, log, signal);
    } catch (error) {
      signal.throwIfAborted();
      log.warn({ container: container.id, error: messageOf(error) }, "runner could not be reached");
      await killContainer(container);
      return null;
    }
  }

  async function destroy(ref: string): Promise<void> {
    const found = CONTAINER_ID.test(ref) ? await containers.find(ref) : null;
    if (found) await containers.remove(found);
  }

  async function destroySandbox(sandbox: DockerSandbox): Promise<void> {
    await sandbox.detach();
    await destroy(sandbox.ref);
  }

  async function removeOrphans(): Promise<void> {
    await removePoolOrphans({ docker, installationId, names, owner, destroy, log, now });
    await slots.removeOrphans();
  }

  async function sweepOrphans(): Promise<void> {
    try {
      await removeOrphans();
    } catch (error) {
      log.warn({ error: messageOf(error) }, "orphaned pool members not looked for");
    }
  }
}
