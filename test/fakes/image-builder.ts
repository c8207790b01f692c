import { type ImageBuild, type ImageBuilder, PackagesFailedError } from "../../src/sandbox/build-image.ts";

export interface BuildUnderWay {
  build: ImageBuild;
  succeed(): void;
  fail(output: string): void;
}

/** An engine whose builds end when the test says so. Any number of processes may share it. */
export interface FakeImageBuilder extends ImageBuilder {
  /** In the order they began, ended ones too. */
  readonly builds: readonly BuildUnderWay[];
  /** By name: what `imageId` answers. */
  readonly baseImages: Map<string, string>;
  /** By hash. */
  readonly images: Map<string, string>;
  /** Of builds that nobody discarded. */
  readonly containers: Set<string>;
  /** Images that a container still needs. */
  readonly needed: Set<string>;
}

export function createFakeImageBuilder(): FakeImageBuilder {
  const builds: BuildUnderWay[] = [];
  const baseImages = new Map([["base:1", "sha256:base-1"]]);
  const images = new Map<string, string>();
  const containers = new Set<string>();
  const needed = new Set<string>();
  return {
    builds,
    baseImages,
    images,
    containers,
    needed,
    imageId: async (image) => baseImages.get(image) ?? null,
    find: async (hash) => images.get(hash) ?? null,
    async build(build) {
      const { promise, resolve, reject } = Promise.withResolvers<string>();
      containers.add(build.slot);
      build.signal.addEventListener("abort", () => reject(build.signal.reason), { once: true });
      const image = `environment:${build.hash}`;
      builds.push({
        build,
        succeed() {
          images.set(build.hash, image);
          resolve(image);
        },
        fail: (output) => reject(new PackagesFailedError("pip: x", "It ended with code 1.", output)),
      });
      try {
        return await promise;
      } finally {
        containers.delete(build.slot);
      }
    },
    list: async () => [...images].map(([hash, image]) => ({ hash, image })),
    async remove(image) {
      if (needed.has(image)) return false;
      for (const [hash, name] of images) if (name === image) images.delete(hash);
      return true;
    },
    slots: async () => [...containers],
    async discard(slot) {
      containers.delete(slot);
    },
  };
}
