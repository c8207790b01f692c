import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import Anthropic from "@anthropic-ai/sdk";
import { pino } from "pino";
import { z } from "zod";
import { createAgentStore } from "../../src/agents/agent-store.ts";
import { createAgents, type KnownModel } from "../../src/agents/agents.ts";
import { type ApiDependencies, buildApp } from "../../src/api/app.ts";
import { createDatabase } from "../../src/database.ts";
import { createEnvironmentStore } from "../../src/environments/environment-store.ts";
import { createEnvironments } from "../../src/environments/environments.ts";
import { createFileLinks } from "../../src/files/file-links.ts";
import { createFileStore } from "../../src/files/file-store.ts";
import { createFiles } from "../../src/files/files.ts";
import { createLocalDiskBlobStore } from "../../src/files/local-disk.ts";
import { createMcpTokens } from "../../src/roles/mcp-tokens.ts";
import { createVaultParts } from "../../src/roles/vault-parts.ts";
import { createLocalCipher } from "../../src/secrets/local-cipher.ts";
import { newMasterKey } from "../../src/secrets/master-key.ts";
import { Secret } from "../../src/secrets/secret.ts";
import { createEventLog } from "../../src/sessions/event-log.ts";
import { readEventPage } from "../../src/sessions/event-page.ts";
import { createLive } from "../../src/sessions/live.ts";
import { createResources } from "../../src/sessions/resources.ts";
import { createSessionStore } from "../../src/sessions/session-store.ts";
import { createSessions } from "../../src/sessions/sessions.ts";
import { terminateSession } from "../../src/sessions/terminate.ts";
import { createThreads } from "../../src/sessions/threads.ts";
import { updateSession } from "../../src/sessions/update-session.ts";
import { connectPostgresWakeups } from "../../src/sessions/wakeups-postgres.ts";
import { createWorkspaceStore } from "../../src/workspaces/workspace-store.ts";
import { createWorkspaces } from "../../src/workspaces/workspaces.ts";
import { createTestDatabase } from "./database.ts";

export const KNOWN_MODELS: readonly KnownModel[] = ["model-c", "model-b", "model-a"].map((id, age) => ({
  id,
  displayName: id.toUpperCase(),
  createdAt: new Date(Date.UTC(2026, 5 - age)).toISOString(),
  contextWindowTokens: 200_000,
  maxOutputTokens: 32_000,
}));

export const RUNTIME_USD_PER_HOUR = 0.5;
export const LINK_KEY = new Secret("link-key-of-the-tests-0123456789abcdef");

/** The API over real Postgres and disk, listening. The harness is the one thing that is missing: nothing runs. */
export async function startApi(
  overrides: Partial<ApiDependencies> & { fileBytesMax?: number; publicUrl?: string } = {},
) {
  const testDatabase = await createTestDatabase();
  const home = await mkdtemp(path.join(tmpdir(), "deckhand-api-"));
  const log = pino({ level: "silent" });
  const database = createDatabase(testDatabase.url, () => undefined);
  const { prisma, pool } = database;
  const wakeups = await connectPostgresWakeups(testDatabase.url, log);
  const eventLog = createEventLog(pool, wakeups);

  const workspaces = createWorkspaces(createWorkspaceStore(prisma));
  const workspaceId = await workspaces.ensureDefault();
  const { key } = await workspaces.createApiKey(workspaceId, "test");
  await prisma.workspace.create({ data: { id: "wrkspc_other", name: "Other" } });
  const other = await workspaces.createApiKey("wrkspc_other", "other");

  const agents = createAgents({ store: createAgentStore(prisma), models: () => KNOWN_MODELS });
  const environments = createEnvironments(createEnvironmentStore(prisma));
  const cipher = createLocalCipher(new Secret(newMasterKey()));
  const { vaults, credentials, store: credentialStore } = createVaultParts(database, cipher);
  const gateway = { dnsServers: [], allowedNetworks: ["127.0.0.0/8"], hostAddresses: [] };
  const blobDirectory = path.join(home, "blobs");
  const files = createFiles({
    store: createFileStore(prisma),
    blobs: await createLocalDiskBlobStore(blobDirectory),
    log,
    ...(overrides.fileBytesMax !== undefined && { bytesMax: overrides.fileBytesMax }),
  });
  const sessionStore = createSessionStore(prisma);
  const sessions = createSessions({
    store: sessionStore,
    agents,
    environments,
    vaults,
    files,
    cipher,
    terminate: (owner, sessionId, events) => terminateSession(pool, wakeups, { workspaceId: owner, sessionId }, events),
    update: (owner, sessionId, params) => updateSession(pool, wakeups, { workspaceId: owner, sessionId }, params),
    announceDeleted: (sessionId) => wakeups.publish({ sessionId, deleted: true }),
    runtimeUsdPerHour: RUNTIME_USD_PER_HOUR,
  });
  const hinted: string[] = [];

  const app = buildApp({
    log,
    health: () => ({ ready: true }),
    workspaces,
    agents,
    environments,
    vaults,
    credentials,
    validateCredential: createMcpTokens({ store: credentialStore, log, gateway }).validateCredential,
    sessions,
    resources: createResources({ store: sessionStore, cipher, dropBlobs: files.dropBlobs }),
    files,
    fileLinks: createFileLinks({ files, key: LINK_KEY, baseUrl: () => overrides.publicUrl ?? baseURL }),
    models: () => KNOWN_MODELS,
    threads: createThreads(prisma),
    eventLog,
    readEventPage: (owner, sessionId, query) => readEventPage(pool, owner, sessionId, query),
    live: createLive(eventLog, wakeups),
    hintRun: async (sessionId) => void hinted.push(sessionId),
    ...overrides,
  });
  const baseURL = await app.listen({ host: "127.0.0.1", port: 0 });
  const clientWith = (apiKey: string) => new Anthropic({ baseURL, apiKey, maxRetries: 0 });

  return {
    app,
    baseURL,
    key,
    workspaceId,
    workspaces,
    client: clientWith(key),
    cipher,
    /** Of another workspace. */
    stranger: clientWith(other.key),
    prisma,
    pool,
    eventLog,
    wakeups,
    files,
    blobDirectory,
    /** Sessions that workers were told of. */
    hinted,
    async stop() {
      await app.close();
      await wakeups.close();
      await database.close();
      await testDatabase.drop();
      await rm(home, { recursive: true });
    },
  };
}

export type TestApi = Awaited<ReturnType<typeof startApi>>;

/** Headers for requests that are made by hand. */
export const rawHeaders = (api: Pick<TestApi, "key">) => ({
  "x-api-key": api.key,
  "anthropic-version": "2023-06-01",
  "anthropic-beta": "managed-agents-2026-04-01",
});

export async function createSession(client: Anthropic, params: Partial<Anthropic.Beta.SessionCreateParams> = {}) {
  const agent = await client.beta.agents.create({
    name: "Ada",
    model: "model-a",
    tools: [{ type: "agent_toolset_20260401" }],
  });
  const environment = await client.beta.environments.create({ name: "office" });
  return client.beta.sessions.create({ agent: agent.id, environment_id: environment.id, ...params });
}

export const userMessage = (text: string) => ({
  type: "user.message" as const,
  content: [{ type: "text" as const, text }],
});

const ErrorAnswer = z.strictObject({
  type: z.literal("error"),
  error: z.strictObject({
    type: z.string(),
    message: z.string(),
    details: z.record(z.string(), z.unknown()).optional(),
  }),
  request_id: z.string(),
});

/** The error a response holds; fails when it is not the wire's envelope. */
export async function errorOf(response: Response) {
  const { error, request_id } = ErrorAnswer.parse(await response.json());
  if (request_id !== response.headers.get("request-id")) throw new Error("the request ids differ");
  return { status: response.status, ...error };
}
