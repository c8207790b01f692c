import type Docker from "dockerode";
import { messageOf } from "../errors.ts";
import type { Logger } from "../log.ts";
import { engineCall, isNotFound } from "./engine.ts";
import { type ContainerNames, INSTALLATION_LABEL, POOL_LABEL } from "./labels.ts";

/** A member younger than this may be without a bridge because its owner is about to open one. */
const ATTACHED_AFTER_MS = 15_000;

export interface PoolOrphansOptions {
  docker: Docker;
  installationId: string;
  names: ContainerNames;
  /** Our own mark in the pool label. */
  owner: string;
  /** Removes a container with all it has on the host. */
  destroy(ref: string): Promise<void>;
  log: Logger;
  now: () => number;
}

/**
 * Removes pooled containers whose owner has died before anyone claimed them. An owner keeps a bridge into each member,
 * and the engine ends the bridge when the owner's connection breaks: a member with no exec running is nobody's. That
 * needs no process ids, so it also holds for owners on other machines and in containers.
 */
export async function removePoolOrphans(options: PoolOrphansOptions): Promise<void> {
  const { docker, installationId, names, owner, destroy, log, now } = options;
  const filters = { label: [`${INSTALLATION_LABEL}=${installationId}`, POOL_LABEL] };
  const containers = await engineCall("list", (abortSignal) =>
    docker.listContainers({ all: true, filters: JSON.stringify(filters), abortSignal }),
  );
  for (const { Id, Names, Labels, Created } of containers) {
    if (!Names.some((name) => names.isPooled(name.slice(1))) || Labels[POOL_LABEL] === owner) continue;
    if (now() - Created * 1000 < ATTACHED_AFTER_MS || (await hasRunningExec(docker, Id))) continue;
    try {
      await destroy(Id);
      log.info({ container: Id }, "orphaned pool member removed");
    } catch (error) {
      log.warn({ container: Id, error: messageOf(error) }, "orphaned pool member not removed");
    }
  }
}

async function hasRunningExec(docker: Docker, containerId: string): Promise<boolean> {
  try {
    const { ExecIDs } = await engineCall("inspect", (abortSignal) =>
      docker.getContainer(containerId).inspect({ abortSignal }),
    );
    const execIds: string[] = ExecIDs ?? [];
    for (const execId of execIds) {
      const { Running } = await engineCall("exec inspect", (abortSignal) =>
        docker.getExec(execId).inspect({ abortSignal }),
      );
      if (Running) return true;
    }
    return false;
  } catch (error) {
    if (isNotFound(error)) return false;
    throw error;
  }
}
