import type { AddressInfo } from "node:net";
import { createAgentStore } from "../agents/agent-store.ts";
import { createAgents } from "../agents/agents.ts";
import { buildApp } from "../api/app.ts";
import type { Health } from "../api/routes/health.ts";
import { errorCode } from "../embedded/file-errors.ts";
import { createBuildHint } from "../environments/build-hint.ts";
import { assertWithinBounds } from "../environments/environment-bounds.ts";
import { createEnvironmentStore } from "../environments/environment-store.ts";
import { createEnvironments } from "../environments/environments.ts";
import { messageOf } from "../errors.ts";
import { createFileLinks } from "../files/file-links.ts";
import { readEventPage } from "../sessions/event-page.ts";
import { createLive } from "../sessions/live.ts";
import { createResources } from "../sessions/resources.ts";
import { createSessionStore } from "../sessions/session-store.ts";
import { createSessions } from "../sessions/sessions.ts";
import { terminateSession } from "../sessions/terminate.ts";
import { createThreads } from "../sessions/threads.ts";
import { updateSession } from "../sessions/update-session.ts";
import type { Workspaces } from "../workspaces/workspaces.ts";
import { openCipher } from "./installation-cipher.ts";
import { openLinkKey } from "./link-key.ts";
import type { Platform } from "./platform.ts";
import { createMcpTokens } from "./mcp-tokens.ts";
import { createVaultParts } from "./vault-parts.ts";

export interface RunningApi {
  /** Where it listens. */
  url: string;
  /** Ends open streams and waits for what is being answered. */
  stop(): Promise<void>;
}

/** Serves the HTTP API on the configured address. Only loopback is opened unless `HOST` says otherwise. */
export async function startApi(platform: Platform, workspaces: Workspaces, health: () => Health): Promise<RunningApi> {
  const { config, database, eventLog, files, models, wakeups } = platform;
  const sessionStore = createSessionStore(database.prisma);
  const agents = createAgents({ store: createAgentStore(database.prisma), models: models.list });
  const environments = createEnvironments(createEnvironmentStore(database.prisma), {
    hintBuild: createBuildHint(platform.queue, platform.log),
    checkConfig: (environment) => assertWithinBounds(environment, config.sandbox.bounds),
  });
  const linkKey = await openLinkKey(config);
  const cipher = await openCipher(config);
  const { vaults, credentials, store } = createVaultParts(database, cipher);
  const app = buildApp({
    log: platform.log,
    health,
    workspaces,
    agents,
    environments,
    vaults,
    credentials,
    validateCredential: createMcpTokens({ store, log: platform.log, gateway: config.gateway }).validateCredential,
    files,
    fileLinks: createFileLinks({
      files,
      key: linkKey,
      baseUrl: () => config.publicUrl ?? urlOf(config.host, app.server.address()),
    }),
    models: models.list,
    resources: createResources({ store: sessionStore, cipher, dropBlobs: files.dropBlobs }),
    sessions: createSessions({
      store: sessionStore,
      agents,
      environments,
      vaults,
      files,
      cipher,
      terminate: (workspaceId, sessionId, lastEvents) =>
        terminateSession(database.pool, wakeups, { workspaceId, sessionId }, lastEvents),
      update: (workspaceId, sessionId, params) =>
        updateSession(database.pool, wakeups, { workspaceId, sessionId }, params),
      announceDeleted: (sessionId) => wakeups.publish({ sessionId, deleted: true }),
      runtimeUsdPerHour: config.runtimeUsdPerHour,
    }),
    threads: createThreads(database.prisma),
    eventLog,
    readEventPage: (...query) => readEventPage(database.pool, ...query),
    live: createLive(eventLog, wakeups),
    hintRun: platform.hintRun,
  });
  try {
    await app.listen({ host: config.host, port: config.port });
  } catch (error) {
    await app.close();
    throw new Error(`The API can't listen on ${config.host}:${config.port}: ${listenProblem(error)}`, { cause: error });
  }
  return { url: urlOf(config.host, app.server.address()), stop: () => app.close() };
}

function listenProblem(error: unknown): string {
  switch (errorCode(error)) {
    case "EADDRINUSE":
      return "the port is taken, perhaps by a Deckhand that runs already. End that program, or set PORT.";
    case "EADDRNOTAVAIL":
    case "ENOTFOUND":
      return "this machine has no such address. Set HOST to one of its own.";
    case "EACCES":
      return "that takes more rights than this user has. Set PORT to one above 1023.";
    default:
      return messageOf(error);
  }
}

function urlOf(host: string, address: AddressInfo | string | null): string {
  if (address === null || typeof address === "string") throw new TypeError("The API does not listen on TCP.");
  const name = host === "0.0.0.0" || host === "::" ? "127.0.0.1" : host;
  return `http://${name.includes(":") ? `[${name}]` : name}:${address.port}`;
}
