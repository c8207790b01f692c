import type { EnvironmentShapes } from "../environments/environment-images.ts";
import { createGatewayRequestStore } from "../gateway/gateway-request-store.ts";
import { PACKAGE_HOSTS } from "../gateway/package-hosts.ts";
import { NO_CRASH, type CrashPoint } from "../harness/crash-points.ts";
import { DEFAULT_RETRY, type RetryPolicy } from "../harness/retry.ts";
import { type HarnessDeps, runSession } from "../harness/run-session.ts";
import type { SessionEquipment } from "../harness/session-equipment.ts";
import { createIdleStore } from "../sandbox/idle-store.ts";
import type { SandboxProvider } from "../sandbox/sandbox.ts";
import { createSandboxStore } from "../sandbox/sandbox-store.ts";
import { createLeases } from "../sessions/lease.ts";
import { startGatewayRequestPruning } from "../../workers/prune-gateway-requests.ts";
import { startIdleSandboxes } from "../../workers/idle-sandboxes.ts";
import { startSandboxReaper } from "../../workers/reap-sandboxes.ts";
import { startSweeper } from "../../workers/sweep.ts";
import { createEquipmentStore } from "../sessions/equipment-store.ts";
import { createPlaceholders } from "../vaults/placeholder.ts";
import { createSessionVariables } from "../vaults/session-variables-store.ts";
import { createVaultCipher } from "../vaults/vault-cipher.ts";
import { createHarnessFiles } from "./harness-files.ts";
import { openCipher } from "./installation-cipher.ts";
import { openMasterKey } from "./master-key.ts";
import type { Platform } from "./platform.ts";
import { createSessionEquipment } from "./session-equipment.ts";

export interface WorkerOptions {
  provider: SandboxProvider;
  environments: EnvironmentShapes;
  crashPoint?: CrashPoint;
  retry?: RetryPolicy;
}

export interface RunningWorker {
  /** Hands running sessions over and waits until this process has let go of them. */
  stop(): Promise<void>;
}

/** Runs sessions: takes hints from the queue and, whatever becomes of those, finds work in the database. */
export async function startWorker(platform: Platform, options: WorkerOptions): Promise<RunningWorker> {
  const { config, database, eventLog, queue, log } = platform;
  const { provider } = options;
  const store = createSandboxStore(database.pool);
  const gatewayRequests = createGatewayRequestStore(database.pool);
  const leases = createLeases(database.pool, config.leaseMs);
  const deps: HarnessDeps = {
    log: eventLog,
    leases,
    wakeups: platform.wakeups,
    files: createHarnessFiles(platform.files),
    findModel: platform.models.find,
    sandboxes: {
      provider,
      store,
      environments: options.environments,
    },
    equipment: await openEquipment(platform),
    deniedRequests: gatewayRequests,
    hint: (sessionId, delayMs) => platform.hintRun(sessionId, delayMs),
    retry: options.retry ?? DEFAULT_RETRY,
    leaseMs: config.leaseMs,
    owner: platform.processId,
    crashPoint: options.crashPoint ?? NO_CRASH,
    logger: log,
  };
  const worker = await queue.work("run-session", ({ session_id }, signal) => runSession(deps, session_id, signal), {
    concurrency: config.workerConcurrency,
  });
  const sweeper = startSweeper({ leases, hintRun: platform.hintRun, leaseMs: config.leaseMs, log });
  const reaper = startSandboxReaper({ provider, store, log });
  const { pauseAfterMs, stopAfterMs, removeAfterMs } = config.sandbox;
  const idle = startIdleSandboxes({
    provider,
    store: createIdleStore(database.pool),
    after: { paused: pauseAfterMs, stopped: stopAfterMs, removed: removeAfterMs },
    log,
  });
  const pruning = startGatewayRequestPruning({ store: gatewayRequests, days: config.gateway.auditDays, log });
  return {
    async stop() {
      await Promise.all([sweeper.stop(), reaper.stop(), idle.stop(), pruning.stop()]);
      await worker.stop();
    },
  };
}

async function openEquipment({ config, database }: Platform): Promise<SessionEquipment> {
  const [cipher, { current }] = await Promise.all([openCipher(config), openMasterKey(config)]);
  return createSessionEquipment({
    store: createEquipmentStore(database.pool),
    variables: createSessionVariables(database.pool, createVaultCipher(cipher)),
    placeholders: createPlaceholders(current),
    packageHosts: [...PACKAGE_HOSTS, ...config.gateway.packageHosts],
  });
}
