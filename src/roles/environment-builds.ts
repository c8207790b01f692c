import { createEnvironmentImageStore } from "../environments/environment-image-store.ts";
import { createEnvironmentImages, type EnvironmentImages } from "../environments/environment-images.ts";
import { createDockerImageBuilder } from "../sandbox/build-docker.ts";
import { createGatewayDirs } from "../sandbox/gateway-dirs.ts";
import { type RunningBuilds, startBuildEnvironments } from "../../workers/build-environments.ts";
import type { Platform } from "./platform.ts";
import type { Sandboxes } from "./sandboxes.ts";

export interface EnvironmentBuilds {
  images: EnvironmentImages;
  running: RunningBuilds;
}

/** Builds environments' packages on the engine that makes this worker's sandboxes. */
export async function startEnvironmentBuilds(platform: Platform, sandboxes: Sandboxes): Promise<EnvironmentBuilds> {
  const { database, queue, processId, log } = platform;
  const { docker, installationId, shape, wayOut } = sandboxes;
  const store = createEnvironmentImageStore(database.pool);
  const builder = createDockerImageBuilder({ docker, installationId, gatewayDirs: createGatewayDirs(wayOut), log });
  const images = createEnvironmentImages({ store, builder, installationId, defaults: shape, owner: processId, log });
  return { images, running: await startBuildEnvironments({ queue, images, store, builder, log }) };
}
