import { invalid, notFound } from "../errors.ts";
import { removeFiles } from "../files/file-store.ts";
import { Prisma, type PrismaClient } from "../generated/client.ts";
import { type Keyset, keysetClauses } from "../keyset.ts";
import type { SessionAgent } from "../schemas/agent.ts";
import type { Metadata } from "../schemas/primitives.ts";
import type { EventOf, QueuedEvent } from "../schemas/event.ts";
import type { FileResource } from "../schemas/resource.ts";
import type { Session, SessionStatus } from "../schemas/session.ts";
import { toJsonb } from "./jsonb.ts";
import { nanocentsOf } from "./list-cost.ts";
import { insertResources, type NewFileResource, type NewResource } from "./resource-rows.ts";
import { type SessionRow, toSession } from "./session-view.ts";
import { INITIAL_STATE, type SessionState, transition } from "./transition.ts";

export interface NewSession {
  id: string;
  threadId: string;
  agent: SessionAgent;
  environmentId: string;
  vaultIds: string[];
  title: string | null;
  metadata: Metadata;
  resources: NewResource[];
  /** For the inbox. */
  initialEvents: QueuedEvent[];
  /** For the log; the session's state is what they add up to. */
  firstEvents: EventOf<"session.status_running" | "session.thread_status_running">[];
  /** List price, kept for as long as the session lives. */
  runtimeUsdPerHour: number;
}

export interface SessionFilter {
  agentId?: string | undefined;
  agentVersion?: number | undefined;
  createdAt: { gt?: string; gte?: string; lt?: string; lte?: string };
  includeArchived: boolean;
  statuses?: SessionStatus[] | undefined;
}

export interface SessionStore {
  /**
   * Writes the session with its resources and initial events, all or nothing.
   * @throws AppError `not_found` for an environment that is not there, and for a file that is not or has expired
   */
  insert(workspaceId: string, session: NewSession): Promise<Session>;
  find(workspaceId: string, id: string): Promise<Session | null>;
  list(workspaceId: string, filter: SessionFilter, keyset: Keyset): Promise<Session[]>;
  threadIdOf(workspaceId: string, id: string): Promise<string>;
  /** Archives a session that an error has terminated: there is nothing to append any more. */
  archiveTerminated(workspaceId: string, id: string): Promise<boolean>;
  /**
   * Deletes the session, its log and its files, only if it is not running and has no work waiting.
   * @returns null when it is; else the blobs that no file refers to any more
   */
  removeIdle(workspaceId: string, id: string): Promise<{ blobKeys: string[] } | null>;
  /**
   * @throws AppError `not_found` for a file that is not there or has expired, `invalid_request` when a concurrent
   *   request mounted something at that path
   */
  insertResource(workspaceId: string, sessionId: string, resource: NewFileResource): Promise<FileResource>;
  /** @returns false when the session has no such repository any more */
  setResourceToken(
    workspaceId: string,
    sessionId: string,
    id: string,
    token: Uint8Array<ArrayBuffer>,
  ): Promise<boolean>;
  /**
   * Deletes a file resource and the session's copy of the file.
   * @returns null when it is not there any more; else the blobs that no file refers to
   */
  removeResource(workspaceId: string, sessionId: string, id: string): Promise<{ blobKeys: string[] } | null>;
}

const withResources = { resources: true } satisfies Prisma.SessionInclude;

export function createSessionStore(prisma: PrismaClient): SessionStore {
  return {
    insert(workspaceId, session) {
      return prisma.$transaction(async (tx) => {
        await holdEnvironment(tx, workspaceId, session.environmentId);
        await insertSession(tx, workspaceId, session);
        await insertResources(tx, { workspaceId, sessionId: session.id }, session.resources);
        await insertEvents(tx, session);
        const row = await tx.session.findUniqueOrThrow({
          where: { id: session.id, workspaceId },
          include: withResources,
        });
        return toSession(row, new Date());
      });
    },

    async find(workspaceId, id) {
      const row: SessionRow | null = await prisma.session.findUnique({
        where: { id, workspaceId },
        include: withResources,
      });
      return row && toSession(row, new Date());
    },

    async list(workspaceId, filter, keyset) {
      const { where, orderBy, take } = keysetClauses(keyset);
      const rows = await prisma.session.findMany({
        where: { AND: [where, filterOf(filter)], workspaceId },
        include: withResources,
        orderBy,
        take,
      });
      const now = new Date();
      return rows.map((row) => toSession(row, now));
    },

    async threadIdOf(workspaceId, id) {
      const { threadId } = await prisma.session.findUniqueOrThrow({ where: { id, workspaceId } });
      return threadId;
    },

    async archiveTerminated(workspaceId, id) {
      const where = { id, workspaceId, status: "terminated", archivedAt: null };
      const { count } = await prisma.session.updateMany({ where, data: { archivedAt: new Date() } });
      return count === 1;
    },

    removeIdle(workspaceId, id) {
      const where = { id, workspaceId, status: { in: ["idle", "terminated"] }, queuedCount: 0 };
      return prisma.$transaction(async (tx) => {
        const { count } = await tx.session.deleteMany({ where });
        return count === 1 ? { blobKeys: await removeFiles(tx, workspaceId, { sessionId: id }) } : null;
      });
    },

    async insertResource(workspaceId, sessionId, resource) {
      try {
        const [row] = await prisma.$transaction((tx) => insertResources(tx, { workspaceId, sessionId }, [resource]));
        if (row?.type !== "file") throw new Error("the resource that was inserted is not there");
        return row;
      } catch (error) {
        if (isUniqueViolation(error)) throw invalid(`mount_path: \`${resource.mountPath}\` is mounted already`);
        throw error;
      }
    },

    async setResourceToken(workspaceId, sessionId, id, token) {
      const where = { id, workspaceId, sessionId, fileId: null };
      const { count } = await prisma.sessionResource.updateMany({ where, data: { token, updatedAt: new Date() } });
      return count === 1;
    },

    removeResource: (workspaceId, sessionId, id) =>
      prisma.$transaction(async (tx) => {
        const where = { id, workspaceId, sessionId, fileId: { not: null } };
        const [row] = await tx.sessionResource.findMany({ where });
        const { count } = await tx.sessionResource.deleteMany({ where });
        if (!row?.fileId || count === 0) return null;
        return { blobKeys: await removeFiles(tx, workspaceId, { id: row.fileId }) };
      }),
  };
}

/** Whoever deletes it waits until this session is there to be seen. */
async function holdEnvironment(tx: Prisma.TransactionClient, workspaceId: string, id: string): Promise<void> {
  const held = await tx.$queryRaw<unknown[]>`
    SELECT id FROM environments WHERE id = ${id} AND workspace_id = ${workspaceId} FOR KEY SHARE`;
  if (held.length === 0) throw notFound("Environment", id);
}

async function insertSession(tx: Prisma.TransactionClient, workspaceId: string, session: NewSession): Promise<void> {
  const state = session.firstEvents.reduce<SessionState>((sum, event) => transition(sum, event), INITIAL_STATE);
  await tx.session.create({
    data: {
      id: session.id,
      workspaceId,
      agentId: session.agent.id,
      agentVersion: session.agent.version,
      // A custom tool's schema is any JSON, which Prisma's types for JSON don't take as it is.
      agent: JSON.parse(toJsonb(session.agent)),
      environmentId: session.environmentId,
      vaultIds: session.vaultIds,
      threadId: session.threadId,
      title: session.title,
      metadata: session.metadata,
      usage: { ...state.usage, runtime_nanocents_per_hour: nanocentsOf(session.runtimeUsdPerHour) },
      status: state.status,
      runningSince: state.runningSince,
      lastSeq: session.firstEvents.length,
      queuedCount: session.initialEvents.length,
    },
  });
}

async function insertEvents(tx: Prisma.TransactionClient, session: NewSession): Promise<void> {
  const { id: sessionId, threadId, firstEvents, initialEvents } = session;
  await tx.event.createMany({
    data: firstEvents.map((event, index) => ({
      sessionId,
      seq: index + 1,
      id: event.id,
      threadId,
      type: event.type,
      payload: event,
      processedAt: event.processed_at,
    })),
  });
  for (const event of initialEvents) {
    // One by one: the order of arrival is the order of these statements.
    await tx.queuedEvent.create({
      data: { id: event.id, sessionId, type: event.type, payload: JSON.parse(toJsonb(event)) },
    });
  }
}

function filterOf({ agentId, agentVersion, createdAt, includeArchived, statuses }: SessionFilter) {
  return {
    ...(agentId !== undefined && { agentId }),
    ...(agentVersion !== undefined && { agentVersion }),
    ...(!includeArchived && { archivedAt: null }),
    ...(statuses && { status: { in: statuses } }),
    createdAt,
  };
}

const isUniqueViolation = (error: unknown) =>
  error instanceof Prisma.PrismaClientKnownRequestError && error.code === "P2002";
