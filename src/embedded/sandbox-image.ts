import os from "node:os";
import path from "node:path";
import type Docker from "dockerode";
import type { Progress } from "../cli/progress.ts";
import type { Logger } from "../log.ts";
import { engineCall, isConflict, isNotFound } from "../sandbox/engine.ts";
import { type BuildContext, readBuildContext } from "./build-context.ts";
import { ensureBaseImage } from "./base-image.ts";
import { hasImage } from "./engine-image.ts";
import { followEngineStream } from "./engine-stream.ts";
import { extraCertificates } from "./extra-certificates.ts";
import { withProcessLock } from "./process-lock.ts";

const REPOSITORY = "deckhand/sandbox";
const HASHED_TAG = /^deckhand\/sandbox:[0-9a-f]{12}$/;
/** The current image and those before it, which sandboxes or another checkout may still use. They share their layers. */
const IMAGES_KEPT = 4;
const IMAGE_DIR = path.resolve(import.meta.dirname, "../sandbox/image");
/** Silence from the engine. A step may download for minutes, but does not do so quietly. */
const BUILD_SILENCE_MAX_MS = 10 * 60_000;
const STEP = /^Step (\d+)\/(\d+) :/;

export interface SandboxImageOptions {
  docker: Docker;
  log: Logger;
  progress: Progress;
  signal: AbortSignal;
}

/**
 * The tag of the image made from `src/sandbox/image/` as it is now; built when the engine lacks it. The engine keeps
 * finished steps, so a build that was interrupted goes on where it was.
 */
export async function ensureSandboxImage(options: SandboxImageOptions): Promise<string> {
  const context = await readBuildContext(IMAGE_DIR);
  const tag = `${REPOSITORY}:${context.hash}`;
  if (await hasImage(options.docker, tag, options.signal)) return tag;
  return withProcessLock(
    path.join(os.tmpdir(), `deckhand-image-${os.userInfo().uid}.lock`),
    options.signal,
    async () => {
      if (await hasImage(options.docker, tag, options.signal)) return tag;
      await ensureBaseImage(options);
      await build(tag, context, options);
      await removeOldImages(options);
      return tag;
    },
  );
}

export async function sandboxImageTag(): Promise<string> {
  return `${REPOSITORY}:${(await readBuildContext(IMAGE_DIR)).hash}`;
}

async function build(tag: string, context: BuildContext, { docker, log, progress, signal }: SandboxImageOptions) {
  await progress.track(`Building the sandbox image ${tag}`, async (report) => {
    const archive = context.toArchive({ "extra-ca.crt": await extraCertificates() });
    const stream = await docker.buildImage(archive, { t: tag, rm: true, forcerm: true, abortSignal: signal });
    await followEngineStream(stream, { silenceMaxMs: BUILD_SILENCE_MAX_MS, signal }, (line) => {
      log.debug({ line }, "sandbox image build");
      const [, step, steps] = STEP.exec(line) ?? [];
      if (step && steps) report(Number(step) - 1, Number(steps));
    });
  });
}

async function removeOldImages({ docker, log, signal }: SandboxImageOptions): Promise<void> {
  const images = await engineCall("list images", () => docker.listImages(), { signal });
  const ours = images
    .flatMap(({ RepoTags, Created }) => (RepoTags ?? []).map((tag) => ({ tag, createdS: Created })))
    .filter(({ tag }) => HASHED_TAG.test(tag))
    .toSorted((a, b) => b.createdS - a.createdS);
  for (const { tag } of ours.slice(IMAGES_KEPT)) {
    try {
      await engineCall("remove image", () => docker.getImage(tag).remove(), { signal });
      log.info({ tag }, "removed an old sandbox image");
    } catch (error) {
      // A sandbox made from it still exists, or another process was quicker.
      if (!isConflict(error) && !isNotFound(error)) throw error;
    }
  }
}
