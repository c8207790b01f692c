import { randomBytes } from "node:crypto";
import { writeFile } from "node:fs/promises";
import path from "node:path";
import type Docker from "dockerode";
import type { Container } from "dockerode";
import { extract } from "tar-stream";
import { messageOf } from "../errors.ts";
import type { Logger } from "../log.ts";
import { engineCall, removeContainer } from "./engine.ts";
import { INSTALLATION_LABEL, newSlot, SLOT_LABEL } from "./labels.ts";
import { createLoopDisks } from "./loop-disks.ts";
import { type DiskMount, diskMountSettings, type SandboxDisks } from "./sandbox-disks.ts";

/** On the containers of this probe, which are never started. */
const PROBE_LABEL = "deckhand.probe";
const PROBE_DISK_BYTES = 4 * 1024 ** 2;
/** A container of a probe that is older was left by a process that died. */
const PROBE_AGE_MAX_MS = 600_000;
const MARKER = "marker";

export interface DiskProbeOptions {
  docker: Docker;
  /** Where the disks are to be. */
  dir: string;
  /** Any image that the engine has; nothing of it runs. */
  image: string;
  installationId: string;
  log: Logger;
}

/**
 * Disks in `dir`, if this process may make them and the engine sees them; null, with the reason in the log, where it may
 * not: without root, on another machine than the engine, in a container whose mounts stay inside. Nothing but trying
 * tells: a disk is made with a random mark on it, and the engine is asked to read the mark through a container.
 * @throws Error when the engine does not answer
 */
export async function probeLoopDisks(options: DiskProbeOptions, signal: AbortSignal): Promise<SandboxDisks | null> {
  const { dir, log } = options;
  // A full host is no reason to go without limits.
  const disks = createLoopDisks(dir, { reservedBytes: 0 });
  const slot = newSlot();
  await removeOldProbes(options, signal);
  try {
    const mounts = await disks.create(slot, PROBE_DISK_BYTES);
    await assertSeenByEngine(options, slot, mounts, signal);
    return createLoopDisks(dir);
  } catch (error) {
    signal.throwIfAborted();
    log.info(
      { reason: messageOf(error) },
      "no disks of limited size for sandboxes here: their bytes are watched instead",
    );
    return null;
  } finally {
    await disks
      .remove(slot)
      .catch((error: unknown) => log.warn({ dir, error: messageOf(error) }, "probe's disk not removed"));
  }
}

async function assertSeenByEngine(
  options: DiskProbeOptions,
  slot: string,
  mounts: DiskMount[],
  signal: AbortSignal,
): Promise<void> {
  const { docker, image, installationId } = options;
  const mount = mounts.find(({ seeded }) => !seeded);
  if (!mount) throw new Error("The disk has no folder to look at.");
  const mark = randomBytes(16).toString("hex");
  await writeFile(path.join(mount.source, MARKER), mark);
  const container = await engineCall("create", (abortSignal) =>
    docker.createContainer({
      Image: image,
      Cmd: ["true"],
      Labels: { [PROBE_LABEL]: installationId, [INSTALLATION_LABEL]: installationId, [SLOT_LABEL]: slot },
      NetworkDisabled: true,
      HostConfig: { NetworkMode: "none", Mounts: diskMountSettings([mount]) },
      abortSignal,
    }),
  );
  try {
    if ((await readThroughEngine(container, `${mount.target}/${MARKER}`, signal)) !== mark) {
      throw new Error("The engine sees another folder in the place of a disk that is mounted here.");
    }
  } finally {
    await removeContainer(container);
  }
}

async function readThroughEngine(container: Container, file: string, signal: AbortSignal): Promise<string> {
  return engineCall(
    "get archive",
    async (abortSignal) => {
      const archive = await container.getArchive({ path: file, abortSignal });
      const unpacked = extract();
      archive.on("error", (error: Error) => unpacked.destroy(error)).pipe(unpacked);
      let text = "";
      for await (const entry of unpacked) for await (const part of entry) text += String(part);
      return text;
    },
    { signal },
  );
}

async function removeOldProbes({ docker, installationId }: DiskProbeOptions, signal: AbortSignal): Promise<void> {
  const filters = JSON.stringify({ label: [`${PROBE_LABEL}=${installationId}`] });
  const probes = await engineCall("list", (abortSignal) => docker.listContainers({ all: true, filters, abortSignal }), {
    signal,
  });
  for (const { Id, Created } of probes) {
    if (Date.now() - Created * 1000 > PROBE_AGE_MAX_MS) await removeContainer(docker.getContainer(Id));
  }
}
