import { createReadStream } from "node:fs";
import { mkdtemp, rm, stat } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { PassThrough } from "node:stream";
import { messageOf } from "../errors.ts";
import { engineCall } from "../sandbox/engine.ts";
import { canInstallPackages, installPackages } from "./apt.ts";
import { hasImage } from "./engine-image.ts";
import { followEngineStream } from "./engine-stream.ts";
import { startLogged } from "./logged-process.ts";
import type { SandboxImageOptions } from "./sandbox-image.ts";

const REPOSITORY = "debian";
const RELEASE = "bookworm";
const TAG = `${RELEASE}-slim`;
/** A registry that can be reached says something sooner than this. */
const PULL_SILENCE_MAX_MS = 15_000;
const IMPORT_SILENCE_MAX_MS = 120_000;
const BOOTSTRAP_TIMEOUT_MS = 15 * 60_000;
/** Ubuntu needs the keyring named; Debian has it. */
const PACKAGES = ["mmdebstrap", "debian-archive-keyring"];

/** `debian:bookworm-slim`: pulled where an image registry can be reached, else made from Debian's packages under that tag. */
export async function ensureBaseImage(options: SandboxImageOptions): Promise<void> {
  if (await hasImage(options.docker, `${REPOSITORY}:${TAG}`, options.signal)) return;
  try {
    await pull(options);
  } catch (cause) {
    options.signal.throwIfAborted();
    if (!(await canInstallPackages())) {
      throw new Error(
        `The image ${REPOSITORY}:${TAG} could not be pulled (${messageOf(cause)}), and it can be made locally only on ` +
          "Debian or Ubuntu as root. Make a registry reachable, or load the image with `docker load`.",
        { cause },
      );
    }
    options.log.info({ reason: messageOf(cause) }, "no image registry can be reached; making the base image here");
    await makeFromPackages(options);
  }
}

async function pull({ docker, progress, signal }: SandboxImageOptions): Promise<void> {
  await progress.track(`Pulling ${REPOSITORY}:${TAG}`, async () => {
    const stream = await engineCall("pull", (abortSignal) => docker.pull(`${REPOSITORY}:${TAG}`, { abortSignal }), {
      signal,
      timeoutMs: PULL_SILENCE_MAX_MS,
    });
    await followEngineStream(stream, { silenceMaxMs: PULL_SILENCE_MAX_MS, signal }, () => {});
  });
}

async function makeFromPackages(options: SandboxImageOptions): Promise<void> {
  const dir = await mkdtemp(path.join(os.tmpdir(), "deckhand-base-"));
  try {
    await installPackages(PACKAGES, { ...options, home: dir });
    const archive = path.join(dir, "base.tar");
    await options.progress.track(`Making ${REPOSITORY}:${TAG} from Debian packages`, () =>
      bootstrap(archive, path.join(dir, "mmdebstrap.log"), options.signal),
    );
    await importArchive(archive, options);
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}

async function bootstrap(archive: string, logFile: string, signal: AbortSignal): Promise<void> {
  const args = ["--variant=minbase", "--include=ca-certificates", RELEASE, archive];
  const limit = AbortSignal.any([signal, AbortSignal.timeout(BOOTSTRAP_TIMEOUT_MS)]);
  const { exited, tail } = await startLogged("mmdebstrap", args, logFile, { signal: limit });
  const code = await exited;
  if (code !== 0) throw new Error(`mmdebstrap ended with ${code}:\n${await tail()}`);
}

async function importArchive(archive: string, { docker, progress, signal }: SandboxImageOptions): Promise<void> {
  await progress.track(`Importing ${REPOSITORY}:${TAG}`, async (report) => {
    const { size } = await stat(archive);
    const file = createReadStream(archive);
    const counted = new PassThrough().on("data", () => report(file.bytesRead, size)).pause();
    const stream = await docker.importImage(file.pipe(counted), { repo: REPOSITORY, tag: TAG, abortSignal: signal });
    await followEngineStream(stream, { silenceMaxMs: IMPORT_SILENCE_MAX_MS, signal }, () => {});
  });
}
