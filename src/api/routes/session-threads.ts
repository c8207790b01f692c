import { z } from "zod";
import { page } from "../../schemas/primitives.ts";
import { EventStreamQuery } from "../../schemas/session.ts";
import { SessionThread, ThreadEventListQuery, ThreadListQuery } from "../../schemas/thread.ts";
import type { Threads } from "../../sessions/threads.ts";
import { decodeLogCursor, encodeLogCursor, sliceOf } from "../pagination.ts";
import type { Server } from "../server.ts";
import { streamEvents } from "../sse.ts";
import { EVENT_STREAM, LoggedOrQueued, type SessionEventDependencies } from "./session-events.ts";

interface Dependencies extends Pick<SessionEventDependencies, "readEventPage" | "live" | "closing" | "streamTimes"> {
  threads: Threads;
}

const SessionPath = z.object({ session_id: z.string() });
const ThreadPath = SessionPath.extend({ thread_id: z.string() });
const tags = ["Session threads"];

export function sessionThreadRoutes(app: Server, dependencies: Dependencies): void {
  const { threads } = dependencies;

  app.get(
    "/sessions/:session_id/threads",
    {
      schema: {
        tags,
        summary: "List a session's threads",
        description: "The primary thread is among them.",
        params: SessionPath,
        querystring: ThreadListQuery,
        response: { 200: page(SessionThread) },
      },
    },
    async ({ workspaceId, params, query }) => {
      const found = await threads.list(workspaceId, params.session_id);
      return sliceOf(
        found.filter(({ status }) => query.statuses?.includes(status) ?? true),
        query,
      );
    },
  );

  app.get(
    "/sessions/:session_id/threads/:thread_id",
    { schema: { tags, summary: "Get a session's thread", params: ThreadPath, response: { 200: SessionThread } } },
    ({ workspaceId, params }) => threads.get(workspaceId, params.session_id, params.thread_id),
  );

  app.post(
    "/sessions/:session_id/threads/:thread_id/archive",
    {
      schema: {
        tags,
        summary: "Archive a session's thread",
        description: "The primary thread can't be archived: it ends with its session.",
        params: ThreadPath,
        response: { 200: SessionThread },
      },
    },
    ({ workspaceId, params }) => threads.archive(workspaceId, params.session_id, params.thread_id),
  );

  threadEventRoutes(app, dependencies);
}

/** The primary thread's events are those of its session. */
function threadEventRoutes(app: Server, { threads, readEventPage, live, closing, streamTimes }: Dependencies): void {
  app.get(
    "/sessions/:session_id/threads/:thread_id/events",
    {
      // Stored as the wire shows them and parsed on their way in.
      serializerCompiler: () => JSON.stringify,
      schema: {
        tags,
        summary: "List a thread's events",
        description: "In the order they were processed; those still queued come last.",
        params: ThreadPath,
        querystring: ThreadEventListQuery,
        response: { 200: page(LoggedOrQueued) },
      },
    },
    async ({ workspaceId, params, query }) => {
      await threads.get(workspaceId, params.session_id, params.thread_id);
      const order = "asc";
      const { data, next } = await readEventPage(workspaceId, params.session_id, {
        order,
        limit: query.limit,
        after: query.page ? decodeLogCursor(query.page, order) : null,
      });
      return { data, next_page: next === null ? null : encodeLogCursor(order, next) };
    },
  );

  app.get(
    "/sessions/:session_id/threads/:thread_id/stream",
    {
      exposeHeadRoute: false,
      schema: {
        tags,
        summary: "Follow a thread's events",
        description: "As the session's stream.",
        params: ThreadPath,
        querystring: EventStreamQuery,
        response: { 200: EVENT_STREAM },
      },
    },
    async (request, reply) => {
      const { session_id, thread_id } = request.params;
      await threads.get(request.workspaceId, session_id, thread_id);
      await streamEvents(
        request,
        reply,
        closing,
        (signal) => live.follow(session_id, { previews: request.query.event_deltas }, signal),
        streamTimes,
      );
    },
  );
}
