import { messageOf } from "../errors.ts";
import type { Logger } from "../log.ts";
import type { ImageBuilder } from "../sandbox/build-image.ts";
import type { EnvironmentImageStore } from "./environment-image-store.ts";
import type { EnvironmentImages } from "./environment-images.ts";

const UNUSED_AFTER_MS = 30 * 24 * 3_600_000;

export interface UnusedImagesDeps {
  store: Pick<EnvironmentImageStore, "environments" | "usedSince" | "forget" | "liveSlots">;
  builder: Pick<ImageBuilder, "list" | "remove" | "slots" | "discard">;
  images: Pick<EnvironmentImages, "hashOf">;
  log: Logger;
  unusedAfterMs?: number;
}

/** Removes images that no environment asks for any more and that were not used for 30 days. */
export async function removeUnusedImages(deps: UnusedImagesDeps, signal: AbortSignal): Promise<void> {
  const { store, builder, images, log, unusedAfterMs = UNUSED_AFTER_MS } = deps;
  const built = await builder.list();
  const used = new Set(
    await store.usedSince(
      built.map(({ hash }) => hash),
      unusedAfterMs,
    ),
  );
  const unused = built.filter(({ hash }) => !used.has(hash));
  if (unused.length === 0) return;
  const wanted = new Set<string | null>();
  for (const environment of await store.environments()) wanted.add(await images.hashOf(environment, signal));
  for (const { hash, image } of unused) {
    signal.throwIfAborted();
    if (wanted.has(hash) || !(await builder.remove(image))) continue;
    await store.forget([hash]);
    log.info({ image }, "unused environment image removed");
  }
}

/** Removes the containers of builds whose process has died. */
export async function removeDeadBuilds({ store, builder, log }: UnusedImagesDeps): Promise<void> {
  const slots = await builder.slots();
  // Asked after that: a build is noted before it has a container.
  const live = new Set(await store.liveSlots(slots));
  for (const slot of slots) {
    if (live.has(slot)) continue;
    try {
      await builder.discard(slot);
      log.info({ slot }, "container of a dead build removed");
    } catch (error) {
      log.warn({ slot, error: messageOf(error) }, "container of a dead build not removed");
    }
  }
}
