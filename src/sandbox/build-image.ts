import type { Packages } from "../schemas/environment.ts";
import type { SandboxLimits } from "./sandbox.ts";

export interface ImageBuild {
  /** Names the image that comes of it: lower-case hex. */
  hash: string;
  /** Names the build's container and its way out; another one for each attempt. */
  slot: string;
  /** What the packages are added to. */
  baseImage: string;
  packages: Packages;
  /** Of the build itself; `diskBytes` is how much it may add to the base image. */
  limits: SandboxLimits;
  signal: AbortSignal;
  /** Told before each step, in words. */
  onStep(step: string): Promise<void>;
}

/**
 * Bakes packages into images. Any number of processes may use the same engine: nothing is known but what the engine knows.
 */
export interface ImageBuilder {
  /** The id behind an image's name, which changes when the image is made anew. Null when the engine has no such image. */
  imageId(image: string, signal: AbortSignal): Promise<string | null>;
  /** The name of what was built for this hash; null when the engine lacks it. */
  find(hash: string, signal: AbortSignal): Promise<string | null>;
  /**
   * The new image's name. Whether it succeeds, fails or is aborted, nothing else is left behind.
   * @throws PackagesFailedError when a package manager fails, takes too long or needs more disk than there may be; else
   *   the engine's error, the signal's reason, or what `onStep` rejects with
   */
  build(build: ImageBuild): Promise<string>;
  /** Every image that this installation has built. */
  list(): Promise<{ hash: string; image: string }[]>;
  /** False when a container still needs it. No error when it is gone. */
  remove(image: string): Promise<boolean>;
  /** The slots of builds that have a container, also of those whose process died. */
  slots(): Promise<string[]>;
  /** Removes what a dead build left. No error when that is gone. */
  discard(slot: string): Promise<void>;
}

/** The packages can't be installed like this. The message is for people. */
export class PackagesFailedError extends Error {
  override readonly name = "PackagesFailedError";
  readonly step: string;
  /** The last lines of what the package manager printed, without control sequences. */
  readonly output: string;

  constructor(step: string, message: string, output: string) {
    super(message);
    this.step = step;
    this.output = output;
  }
}
