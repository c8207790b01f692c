import { readFile, rm } from "node:fs/promises";
import path from "node:path";
import Docker, { type ContainerInfo } from "dockerode";
import { loadConfig } from "../src/config.ts";
import { openGatewayDir } from "../src/roles/gateway-dir.ts";
import { sandboxDisksDir } from "../src/roles/sandbox-disks.ts";
import { isNotFound, removeContainer } from "../src/sandbox/engine.ts";
import { INSTALLATION_LABEL } from "../src/sandbox/labels.ts";
import { createLoopDisks } from "../src/sandbox/loop-disks.ts";

/** The containers of the Deckhand whose state is in a home. */
export interface Installation {
  id: string;
  containers(): Promise<ContainerInfo[]>;
  /** Has an exec been started in it? */
  isAttached(containerId: string): Promise<boolean>;
  /** The slots that have a disk. */
  disks(): Promise<string[]>;
  /** Removes all its containers, their disks and their gateway folders: those of sessions outlive its processes. */
  remove(): Promise<void>;
}

/** @throws when no worker has run in that home yet */
export async function findInstallation(home: string): Promise<Installation> {
  const docker = new Docker();
  const id = (await readFile(path.join(home, "installation-id"), "utf8")).trim();
  const filters = JSON.stringify({ label: [`${INSTALLATION_LABEL}=${id}`] });
  const disks = createLoopDisks(sandboxDisksDir(home));
  const containers = () => docker.listContainers({ all: true, filters });
  return {
    id,
    containers,
    disks: () => disks.list(),
    async isAttached(containerId) {
      try {
        const { ExecIDs } = await docker.getContainer(containerId).inspect();
        return Array.isArray(ExecIDs) && ExecIDs.length > 0;
      } catch (error) {
        if (isNotFound(error)) return false; // It was listed, and gone before it was asked about.
        throw error;
      }
    },
    async remove() {
      await Promise.all((await containers()).map(({ Id }) => removeContainer(docker.getContainer(Id))));
      await Promise.all((await disks.list()).map((slot) => disks.remove(slot)));
      // Below the system's temporary directory where the home's path is too long for sockets.
      await rm(await gatewayDirOf(home), { recursive: true, force: true });
    },
  };
}

/** Where a Deckhand with this home that is told of no other folder has the sockets of its sandboxes. */
export function gatewayDirOf(home: string): Promise<string> {
  return openGatewayDir(loadConfig(home, { DECKHAND_HOME: home }));
}
