import { EnvironmentBuildError, type EnvironmentImages } from "../src/environments/environment-images.ts";
import { removeDeadBuilds, removeUnusedImages, type UnusedImagesDeps } from "../src/environments/unused-images.ts";
import type { JobPayload, Queue } from "../src/queue/queue.ts";
import { startPeriodic } from "./periodic.ts";

export interface BuildEnvironmentsDeps extends UnusedImagesDeps {
  queue: Pick<Queue, "work">;
  images: Pick<EnvironmentImages, "build" | "hashOf">;
}

export interface RunningBuilds {
  /** Breaks off what is being built; another process takes over, or the next session. Idempotent. */
  stop(): Promise<void>;
}

/** Builds are heavy on processors and disk, and a session that waits for one does not need this worker. */
const CONCURRENCY = 1;
const DEAD_BUILDS_INTERVAL_MS = 60_000;
const UNUSED_IMAGES_INTERVAL_MS = 3_600_000;

/** Builds environments' images as the queue says, and removes what was left of those nobody needs. */
export async function startBuildEnvironments(deps: BuildEnvironmentsDeps): Promise<RunningBuilds> {
  const { queue, log } = deps;
  const worker = await queue.work("build-environment", (job, signal) => buildEnvironment(deps, job, signal), {
    concurrency: CONCURRENCY,
  });
  const deadBuilds = startPeriodic("dead-builds", DEAD_BUILDS_INTERVAL_MS, () => removeDeadBuilds(deps), log);
  const unusedImages = startPeriodic(
    "unused-images",
    UNUSED_IMAGES_INTERVAL_MS,
    (signal) => removeUnusedImages(deps, signal),
    log,
  );
  return {
    async stop() {
      await Promise.all([worker.stop(), deadBuilds.stop(), unusedImages.stop()]);
    },
  };
}

/** Packages that can't be installed are their environment's failure, which its sessions tell of. */
export async function buildEnvironment(
  { images, log }: Pick<BuildEnvironmentsDeps, "images" | "log">,
  { workspace_id, environment_id }: JobPayload<"build-environment">,
  signal: AbortSignal,
): Promise<void> {
  try {
    await images.build(workspace_id, environment_id, signal);
  } catch (error) {
    if (!(error instanceof EnvironmentBuildError)) throw error;
    log.info({ environment_id, error: error.message }, "environment could not be built");
  }
}
