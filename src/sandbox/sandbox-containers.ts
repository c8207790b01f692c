import type Docker from "dockerode";
import type { Container, ContainerInfo, ContainerInspectInfo } from "dockerode";
import { messageOf } from "../errors.ts";
import type { Logger } from "../log.ts";
import { containerConfig, WORK_DIR } from "./container-config.ts";
import { assertRuntime, engineRuntimes } from "./engine-runtimes.ts";
import { engineCall, isNotFound, removeContainer } from "./engine.ts";
import { EGRESS_DIR } from "./gateway-dirs.ts";
import { DISK_LABEL, INSTALLATION_LABEL, SLOT_LABEL } from "./labels.ts";
import type { SandboxShape } from "./sandbox.ts";
import type { Slots } from "./slots.ts";

const START_TIMEOUT_MS = 60_000;

/** A container, together with what it has on the host. */
export interface SandboxContainer {
  container: Container;
  image: string;
  /** Null for one that was made before there were slots. */
  slot: string | null;
  /** The slot, when the container sees its gateway folder. */
  gatewayId: string | null;
  /** Whether its folders are on a disk of its own. */
  hasDisk: boolean;
}

/** The containers of one installation. */
export interface SandboxContainers {
  /** Made and started. Leaves nothing behind when it fails or is aborted. */
  make(spec: NewContainer, signal: AbortSignal): Promise<SandboxContainer>;
  /** Null when it is gone or another installation's. */
  find(ref: string, signal?: AbortSignal): Promise<SandboxContainer | null>;
  /** Starts one that was stopped. False when its disk is gone. */
  start(found: SandboxContainer): Promise<boolean>;
  /** With its disk and its way out. No error when it is gone. */
  remove(found: SandboxContainer): Promise<void>;
  /** For when another error is on its way to the caller. */
  removeQuietly(found: SandboxContainer): Promise<void>;
  list(): Promise<ContainerInfo[]>;
}

export interface NewContainer {
  name: string;
  shape: SandboxShape;
  labels: Record<string, string>;
}

export interface SandboxContainersOptions {
  docker: Docker;
  installationId: string;
  slots: Slots;
  log: Logger;
}

export function createSandboxContainers(options: SandboxContainersOptions): SandboxContainers {
  const { docker, installationId, slots, log } = options;
  /** Of which nothing speaks against sandboxes. */
  const usableRuntimes = new Set<string>();

  return {
    async make({ name, shape, labels }, signal) {
      if (shape.runtime !== null) await assertUsable(shape.runtime, signal);
      const made = await create({ name, shape, labels }, signal);
      try {
        signal.throwIfAborted();
        await start(made.container);
        signal.throwIfAborted();
        return made;
      } catch (error) {
        await removeQuietly(made);
        throw error;
      }
    },

    async find(ref, signal) {
      const container = docker.getContainer(ref);
      try {
        const inspected = await engineCall("inspect", (abortSignal) => container.inspect({ abortSignal }), {
          ...(signal ? { signal } : {}),
        });
        return inspected.Config.Labels[INSTALLATION_LABEL] === installationId ? found(container, inspected) : null;
      } catch (error) {
        if (isNotFound(error)) return null;
        throw error;
      }
    },

    async start({ container, slot, hasDisk }) {
      if (slot && !(await slots.ensure(slot, { disk: hasDisk }))) return false;
      await start(container);
      return true;
    },

    remove,
    removeQuietly,

    list() {
      const filters = JSON.stringify({ label: [`${INSTALLATION_LABEL}=${installationId}`] });
      return engineCall("list", (abortSignal) => docker.listContainers({ all: true, filters, abortSignal }));
    },
  };

  /** An environment may ask for a runtime that the engine does not have, or no longer. */
  async function assertUsable(runtime: string, signal: AbortSignal): Promise<void> {
    if (usableRuntimes.has(runtime)) return;
    assertRuntime(runtime, await engineRuntimes(docker, signal), "the environment's runtime");
    usableRuntimes.add(runtime);
  }

  async function create({ name, shape, labels }: NewContainer, signal: AbortSignal): Promise<SandboxContainer> {
    const { slot, mounts } = await slots.make(shape.limits.diskBytes);
    try {
      signal.throwIfAborted();
      const watched = mounts.some(({ Target }) => Target === WORK_DIR)
        ? {}
        : { [DISK_LABEL]: String(shape.limits.diskBytes) };
      const ours = { ...labels, ...watched, [INSTALLATION_LABEL]: installationId, [SLOT_LABEL]: slot };
      const config = containerConfig({ name, shape, labels: ours, mounts });
      // Not ended by the signal: a request that was cut off may have made a container all the same, and who would know it?
      const container = await engineCall("create", (abortSignal) => docker.createContainer({ ...config, abortSignal }));
      return describe(container, shape.image, slot, new Set(mounts.map(({ Target }) => Target)));
    } catch (error) {
      await slots.remove(slot).catch((failure) => log.warn({ slot, error: messageOf(failure) }, "slot not removed"));
      throw error;
    }
  }

  async function start(container: Container): Promise<void> {
    await engineCall("start", (abortSignal) => container.start({ abortSignal }), { timeoutMs: START_TIMEOUT_MS });
  }

  async function remove({ container, slot }: SandboxContainer): Promise<void> {
    await removeContainer(container);
    if (slot) await slots.remove(slot);
  }

  async function removeQuietly(found: SandboxContainer): Promise<void> {
    try {
      await remove(found);
    } catch (error) {
      log.warn({ container: found.container.id, error: messageOf(error) }, "sandbox not removed");
    }
  }
}

function found(container: Container, { Config, Mounts }: ContainerInspectInfo): SandboxContainer {
  const mounted = new Set(Mounts.map(({ Destination }) => Destination));
  return describe(container, Config.Image, Config.Labels[SLOT_LABEL] ?? null, mounted);
}

function describe(container: Container, image: string, slot: string | null, mounted: Set<string>): SandboxContainer {
  return {
    container,
    image,
    slot,
    gatewayId: mounted.has(EGRESS_DIR) ? slot : null,
    hasDisk: mounted.has(WORK_DIR),
  };
}
