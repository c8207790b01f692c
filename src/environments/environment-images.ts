import { setTimeout as delay } from "node:timers/promises";
import { messageOf, TerminalError } from "../errors.ts";
import type { NetworkingPolicy } from "../gateway/sandbox-policy.ts";
import type { Logger } from "../log.ts";
import { type ImageBuilder, PackagesFailedError } from "../sandbox/build-image.ts";
import { newSlot } from "../sandbox/labels.ts";
import type { SandboxShape } from "../sandbox/sandbox.ts";
import type { EnvironmentConfig } from "../schemas/environment.ts";
import type { EnvironmentBuild } from "../schemas/event.ts";
import { hasPackages } from "./environment-config.ts";
import type { EnvironmentImageStore, ImageClaim, ShapedEnvironment } from "./environment-image-store.ts";
import { machineShape } from "./environment-shape.ts";
import { imageHash } from "./image-hash.ts";

const LEASE_MS = 30_000;
const RENEWALS_PER_LEASE = 3;
const POLL_MS = 500;

/** What the harness asks before it makes a sandbox. */
export interface EnvironmentShapes {
  /**
   * The shape that the session's environment asks for, as the environment is now. Where its packages are in no image yet,
   * waits until they are: minutes.
   * @throws EnvironmentBuildError, the signal's reason, or what `onBuild` rejects with
   */
  shapeFor(session: { sessionId: string; workspaceId: string }, options: ShapeOptions): Promise<SandboxShape>;
}

export interface ShapeOptions {
  /**
   * Told of a build that has to be waited for, one call at a time: `started`, then `running` with each step, at last
   * `finished` or `failed`. Not called at all when the image is there.
   */
  onBuild(build: EnvironmentBuild): Promise<void>;
  signal: AbortSignal;
}

/** An environment's packages could not be installed. The message is for people and ends with the package manager's last lines. */
export class EnvironmentBuildError extends TerminalError {
  override readonly name = "EnvironmentBuildError";
}

export interface EnvironmentImages extends EnvironmentShapes {
  /** Builds what the environment lacks, so that no session has to wait. Nothing to do for one that is gone. */
  build(workspaceId: string, environmentId: string, signal: AbortSignal): Promise<void>;
  /** Null for an environment without packages, or whose base image the engine lacks. */
  hashOf(environment: ShapedEnvironment, signal: AbortSignal): Promise<string | null>;
}

export interface EnvironmentImagesDeps {
  store: EnvironmentImageStore;
  builder: ImageBuilder;
  installationId: string;
  /** What environments get that ask for nothing else; builds have its limits too. */
  defaults: SandboxShape;
  /** Names this process. */
  owner: string;
  log: Logger;
  leaseMs?: number;
}

interface Wanted {
  environment: ShapedEnvironment;
  hash: string;
  baseImage: string;
}

/**
 * Environments' packages as images. One process at a time builds an image and the others wait for it, telling of the same
 * steps; when it dies another one takes over. A build that failed is tried again when it is next asked for.
 */
export function createEnvironmentImages(deps: EnvironmentImagesDeps): EnvironmentImages {
  const { store, builder, installationId, defaults, owner, log, leaseMs = LEASE_MS } = deps;

  return {
    async shapeFor(session, options) {
      const environment = await store.environmentOf(session);
      if (!environment) throw new EnvironmentBuildError("The session's environment is gone.");
      return shapeOf(environment, options);
    },

    async build(workspaceId, environmentId, signal) {
      const environment = await store.environment(workspaceId, environmentId);
      if (environment) await shapeOf(environment, { onBuild: async () => {}, signal });
    },

    hashOf,
  };

  async function shapeOf(environment: ShapedEnvironment, options: ShapeOptions): Promise<SandboxShape> {
    const shape = machineShape(environment.config, defaults);
    if (!hasPackages(environment.config)) return shape;
    const hash = await hashOf(environment, options.signal);
    if (hash === null) throw new EnvironmentBuildError(`The base image ${shape.image} is not there.`);
    return { ...shape, image: await imageOf({ environment, hash, baseImage: shape.image }, options) };
  }

  async function hashOf({ workspaceId, config }: ShapedEnvironment, signal: AbortSignal): Promise<string | null> {
    if (!hasPackages(config)) return null;
    const baseImageId = await builder.imageId(machineShape(config, defaults).image, signal);
    return baseImageId && imageHash({ installationId, workspaceId, baseImageId, packages: config.packages });
  }

  async function imageOf(wanted: Wanted, { onBuild, signal }: ShapeOptions): Promise<string> {
    const { hash, environment } = wanted;
    const tell = (status: EnvironmentBuild["status"], step: string | null = null) =>
      onBuild({ environment_id: environment.id, status, step });
    let image = await builder.find(hash, signal);
    if (image === null) {
      await tell("started");
      try {
        image = await built(wanted, (step) => tell("running", step), signal);
      } catch (error) {
        if (error instanceof EnvironmentBuildError) await tell("failed");
        throw error;
      }
      await tell("finished");
    }
    await store.used({ hash, workspaceId: environment.workspaceId, image });
    return image;
  }

  /** Builds it, or waits for whoever does. */
  async function built(wanted: Wanted, onStep: (step: string) => Promise<void>, signal: AbortSignal): Promise<string> {
    const { hash } = wanted;
    let shown: string | null = null;
    // What failed before this was asked for is tried again; what fails while we wait is our answer too.
    let again = true;
    for (;;) {
      const image = await buildIfFree(wanted, again, onStep, signal);
      if (image !== null) return image;
      again = false;
      for (;;) {
        const progress = await store.find(hash);
        if (progress?.status === "failed") throw new EnvironmentBuildError(progress.error ?? "The build has failed.");
        if (progress?.status === "ready") {
          const found = await builder.find(hash, signal);
          if (found !== null) return found;
          again = true; // It is on another engine.
        }
        if (progress?.status !== "building" || progress.abandoned) break;
        if (progress.step !== null && progress.step !== shown) await onStep((shown = progress.step));
        await delay(POLL_MS, undefined, { signal });
      }
    }
  }

  /** Null when another one builds it, from the start or since we were given up for dead. */
  async function buildIfFree(
    { environment, hash, baseImage }: Wanted,
    again: boolean,
    onStep: (step: string) => Promise<void>,
    signal: AbortSignal,
  ): Promise<string | null> {
    const { workspaceId, config } = environment;
    const claim: ImageClaim = { hash, slot: newSlot() };
    const networking = buildNetworking(config);
    signal.throwIfAborted();
    if (!(await store.claim({ ...claim, workspaceId, builder: owner, networking, leaseMs }, { again }))) return null;
    const lease = keep(claim);
    try {
      // Another one may have finished it between our look and our claim.
      const image =
        (await builder.find(hash, signal)) ??
        (await builder.build({
          ...claim,
          baseImage,
          packages: config.packages,
          limits: defaults.limits,
          signal: AbortSignal.any([signal, lease.lost]),
          async onStep(step) {
            await store.setStep(claim, step);
            await onStep(step);
          },
        }));
      await store.finish(claim, { image });
      log.info({ environment_id: environment.id, image }, "environment built");
      return image;
    } catch (error) {
      if (lease.lost.aborted && !signal.aborted) return null;
      throw await noted(claim, error);
    } finally {
      lease.stop();
    }
  }

  /** The error to throw, once others can see what has become of the build. */
  async function noted(claim: ImageClaim, error: unknown): Promise<unknown> {
    const failed = error instanceof PackagesFailedError ? buildError(error) : null;
    try {
      if (failed) await store.finish(claim, { error: failed.message });
      else await store.release(claim);
    } catch (failure) {
      log.warn({ hash: claim.hash, error: messageOf(failure) }, "end of an environment build not noted");
    }
    return failed ?? error;
  }

  /** Renews the claim until `stop`. */
  function keep(claim: ImageClaim): { lost: AbortSignal; stop(): void } {
    const lost = new AbortController();
    const renew = async () => {
      try {
        if (!(await store.renew(claim, leaseMs))) lost.abort(new Error("Another process has taken over the build."));
      } catch (error) {
        // It counts only when it goes on for the whole lease: another one takes over then, and the next renewal tells.
        log.warn({ hash: claim.hash, error: messageOf(error) }, "claim of an environment build not renewed");
      }
    };
    const timer = setInterval(() => void renew(), leaseMs / RENEWALS_PER_LEASE);
    return { lost: lost.signal, stop: () => clearInterval(timer) };
  }
}

/** A build reaches the package managers' hosts, and what its environment allows besides: private mirrors. Pure. */
function buildNetworking({ networking }: EnvironmentConfig): NetworkingPolicy {
  if (networking.type === "unrestricted") return networking;
  return { type: "limited", allowedHosts: networking.allowed_hosts, packageManagers: true };
}

function buildError(cause: PackagesFailedError): EnvironmentBuildError {
  const what = `The environment's packages could not be installed. ${cause.step}: ${cause.message}`;
  return new EnvironmentBuildError(cause.output ? `${what}\n${cause.output}` : what, { cause });
}
