import { invalid, notFound } from "../errors.ts";
import type { PrismaClient } from "../generated/client.ts";
import type { SessionThread } from "../schemas/thread.ts";
import { type ThreadHistory, toPrimaryThread } from "./thread-view.ts";

/** All throw AppError `not_found` for an unknown session or thread, and for another workspace's. */
export interface Threads {
  /** Oldest first. */
  list(workspaceId: string, sessionId: string): Promise<SessionThread[]>;
  get(workspaceId: string, sessionId: string, threadId: string): Promise<SessionThread>;
  /** @throws AppError `invalid_request` for the primary thread, which ends with its session */
  archive(workspaceId: string, sessionId: string, threadId: string): Promise<SessionThread>;
}

/** Every session has one thread, which the session's own row describes. */
export function createThreads(prisma: PrismaClient): Threads {
  const first = async (sessionId: string, threadId: string, type: string | { startsWith: string }) => {
    const event = await prisma.event.findFirst({
      where: { sessionId, threadId, type },
      orderBy: { seq: "asc" },
      select: { processedAt: true },
    });
    return event?.processedAt ?? null;
  };
  const historyOf = async (sessionId: string, threadId: string): Promise<ThreadHistory> => {
    const [changedAt, ranAt, idledAt] = await Promise.all([
      first(sessionId, threadId, { startsWith: "session.thread_status_" }),
      first(sessionId, threadId, "session.thread_status_running"),
      first(sessionId, threadId, "session.thread_status_idle"),
    ]);
    return { changedAt, ranAt, idledAt };
  };
  const list = async (workspaceId: string, sessionId: string) => {
    const row = await prisma.session.findUnique({ where: { id: sessionId, workspaceId } });
    if (!row) throw notFound("Session", sessionId);
    return [toPrimaryThread(row, await historyOf(sessionId, row.threadId), new Date())];
  };
  const get = async (workspaceId: string, sessionId: string, threadId: string) => {
    const thread = (await list(workspaceId, sessionId)).find(({ id }) => id === threadId);
    if (!thread) throw notFound("Session thread", threadId);
    return thread;
  };

  return {
    list,
    get,
    async archive(workspaceId, sessionId, threadId) {
      const { id } = await get(workspaceId, sessionId, threadId);
      throw invalid(`thread_id: \`${id}\` is the primary thread, which ends with its session; archive the session`);
    },
  };
}
