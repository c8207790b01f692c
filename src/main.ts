import type { Progress } from "./cli/progress.ts";
import type { Config } from "./config.ts";
import type { Database } from "./database.ts";
import type { CrashPoint } from "./harness/crash-points.ts";
import type { RetryPolicy } from "./harness/retry.ts";
import type { Logger } from "./log.ts";
import type { Queue } from "./queue/queue.ts";
import { startApi } from "./roles/api.ts";
import { type RunningBots, startBots } from "./roles/bots.ts";
import { startEnvironmentBuilds } from "./roles/environment-builds.ts";
import { startGatewayRole } from "./roles/gateway.ts";
import { ensureOperatorKey } from "./roles/operator-key.ts";
import { openPlatform, type Platform } from "./roles/platform.ts";
import { openSandboxes } from "./roles/sandboxes.ts";
import { announceServer } from "./roles/server-file.ts";
import { startWorker } from "./roles/worker.ts";
import { Teardown } from "./teardown.ts";
import { createWorkspaceStore } from "./workspaces/workspace-store.ts";
import { createWorkspaces } from "./workspaces/workspaces.ts";

export type Role = "api" | "worker" | "gateway" | "bots";
export const ROLES: readonly Role[] = ["api", "worker", "gateway", "bots"];

export interface StartOptions {
  config: Config;
  roles: readonly Role[];
  log: Logger;
  progress: Progress;
  /** Aborts the start. Does not stop what was started: `stop` does. */
  signal: AbortSignal;
  crashPoint?: CrashPoint;
  retry?: RetryPolicy;
}

/** Deckhand as far as this process runs it. */
export interface Deckhand {
  /** Of the API: this process's own, or the configured one. */
  url: string;
  apiKey: string;
  database: Database;
  queue: Queue;
  /** The image sandboxes are made from; null when this process runs no worker. */
  sandboxImage: string | null;
  /** How Slack is connected, in words; null when this process has no bots, or Slack is not set up. */
  slack: string | null;
  /** How Teams is; the same. */
  teams: string | null;
  log: Logger;
  /** Lets running sessions go on elsewhere, ends streams, closes connections. Idempotent. */
  stop(): Promise<void>;
}

/**
 * The composition root: starts the given roles, together or apart, on what the configuration names and on embedded
 * defaults for the rest. The API answers `/healthz` with 503 and the reason until all of them are ready.
 * @throws what keeps a role from starting, with everything undone
 */
export async function startDeckhand(options: StartOptions): Promise<Deckhand> {
  const { config, roles, log, signal } = options;
  const started = new Teardown();
  try {
    const platform = await openPlatform(config, log, signal);
    started.add(() => platform.close());
    const workspaces = createWorkspaces(createWorkspaceStore(platform.database.prisma));
    const apiKey = await ensureOperatorKey(config, workspaces);

    const starting: { reason: string | null } = { reason: "starting" };
    const api = roles.includes("api") ? await startApi(platform, workspaces, () => healthOf(starting.reason)) : null;
    if (api) started.add(() => api.stop());
    if (roles.includes("gateway")) {
      const gateway = await startGatewayRole(platform);
      started.add(() => gateway.stop());
    }
    const sandboxImage = roles.includes("worker") ? await startWorkerRole(platform, options, started, starting) : null;
    const url = api?.url ?? remoteApi(config);
    const bots = roles.includes("bots") ? await startBotsRole(platform, { url, apiKey }, started, starting) : null;
    starting.reason = null;
    if (api) started.add(await announceServer(config.home, api.url));

    let stopping: Promise<void> | null = null;
    return {
      url,
      apiKey,
      database: platform.database,
      queue: platform.queue,
      sandboxImage,
      slack: bots?.slack ?? null,
      teams: bots?.teams ?? null,
      log,
      stop: () => (stopping ??= started.run()),
    };
  } catch (error) {
    await started.run();
    throw error;
  }
}

async function startWorkerRole(
  platform: Platform,
  options: StartOptions,
  started: Teardown,
  starting: { reason: string | null },
): Promise<string> {
  starting.reason = "making sandboxes ready";
  const sandboxes = await openSandboxes(platform, options.progress, options.signal);
  started.add(() => sandboxes.provider.close());
  const builds = await startEnvironmentBuilds(platform, sandboxes);
  started.add(() => builds.running.stop());
  const worker = await startWorker(platform, {
    provider: sandboxes.provider,
    environments: builds.images,
    ...(options.crashPoint ? { crashPoint: options.crashPoint } : {}),
    ...(options.retry ? { retry: options.retry } : {}),
  });
  started.add(() => worker.stop());
  return sandboxes.shape.image;
}

async function startBotsRole(
  platform: Platform,
  api: { url: string; apiKey: string },
  started: Teardown,
  starting: { reason: string | null },
): Promise<RunningBots> {
  starting.reason = "connecting the chats";
  const bots = await startBots(platform, { apiUrl: api.url, apiKey: api.apiKey });
  started.add(() => bots.stop());
  return bots;
}

function healthOf(reason: string | null) {
  return reason === null ? { ready: true as const } : { ready: false as const, reason };
}

function remoteApi(config: Config): string {
  return config.apiUrl ?? `http://${config.host}:${config.port}`;
}
