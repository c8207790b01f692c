import { setTimeout as delay } from "node:timers/promises";
import { containerNames } from "../src/sandbox/labels.ts";
import type { Installation } from "./installation.ts";

const DEFAULT_POOL_SIZE = 2; // of DECKHAND_SANDBOX_POOL
const POLL_MS = 50;
const TIMEOUT_MS = 30_000;
/** From the runner's exec being there to its greeting. */
const SETTLE_MS = 600;

/** Waits until the warm pool is full and quiet. */
export async function pooledReady(
  installation: Installation,
  signal: AbortSignal,
  poolSize = DEFAULT_POOL_SIZE,
): Promise<void> {
  const names = containerNames(installation.id);
  const until = Date.now() + TIMEOUT_MS;
  for (;;) {
    const containers = await installation.containers();
    const pooled = containers.filter(({ Names }) => Names.some((name) => names.isPooled(name.slice(1))));
    const attached = await Promise.all(pooled.map(({ Id }) => installation.isAttached(Id)));
    if (attached.filter(Boolean).length >= poolSize) break;
    if (Date.now() > until) throw new Error("The warm pool does not fill.");
    await delay(POLL_MS, undefined, { signal });
  }
  await delay(SETTLE_MS, undefined, { signal });
}
