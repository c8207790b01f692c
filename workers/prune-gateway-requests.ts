import type { GatewayRequestStore } from "../src/gateway/gateway-request-store.ts";
import type { Logger } from "../src/log.ts";
import { type PeriodicTask, startPeriodic } from "./periodic.ts";

const INTERVAL_MS = 3_600_000;

export interface PruningDeps {
  store: Pick<GatewayRequestStore, "prune">;
  /** Requests of sandboxes are on record for so long; 0 for always. */
  days: number;
  log: Logger;
}

/** Removes what is recorded of old requests: when it starts, and every hour. Any number of processes may do so at once. */
export function startGatewayRequestPruning({ store, days, log }: PruningDeps): PeriodicTask {
  const prune = async (signal: AbortSignal) => {
    if (days === 0) return;
    while (!signal.aborted && (await store.prune(days)));
  };
  return startPeriodic("prune-gateway-requests", INTERVAL_MS, prune, log);
}
