import { readFile } from "node:fs/promises";
import path from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import Docker from "dockerode";
import { containerNames, INSTALLATION_LABEL } from "../src/sandbox/labels.ts";

const POOL_SIZE = 2; // the default of DECKHAND_SANDBOX_POOL
const POLL_MS = 50;
const TIMEOUT_MS = 30_000;
/** From the runner's exec being there to its greeting. */
const SETTLE_MS = 250;

/** Waits until the warm pool of the installation in `home` is full and quiet. */
export async function pooledReady(home: string, signal: AbortSignal): Promise<void> {
  const docker = new Docker();
  const installationId = (await readFile(path.join(home, "installation-id"), "utf8")).trim();
  const names = containerNames(installationId);
  const filters = JSON.stringify({ label: [`${INSTALLATION_LABEL}=${installationId}`] });
  const until = Date.now() + TIMEOUT_MS;
  for (;;) {
    const containers = await docker.listContainers({ filters });
    const pooled = containers.filter(({ Names }) => Names.some((name) => names.isPooled(name.slice(1))));
    const attached = await Promise.all(pooled.map(async ({ Id }) => isAttached(docker, Id)));
    if (attached.filter(Boolean).length >= POOL_SIZE) break;
    if (Date.now() > until) throw new Error("The warm pool does not fill.");
    await delay(POLL_MS, undefined, { signal });
  }
  await delay(SETTLE_MS, undefined, { signal });
}

async function isAttached(docker: Docker, id: string): Promise<boolean> {
  const { ExecIDs } = await docker.getContainer(id).inspect();
  return Array.isArray(ExecIDs) && ExecIDs.length > 0;
}
