import { z } from "zod";
import { page } from "../../schemas/primitives.ts";
import { EventPreview, QueuedEvent, SessionEvent } from "../../schemas/event.ts";
import { EventListQuery, EventSendParams, EventStreamQuery } from "../../schemas/session.ts";
import type { EventLog } from "../../sessions/event-log.ts";
import type { EventPage, EventPageQuery } from "../../sessions/event-page.ts";
import type { Live } from "../../sessions/live.ts";
import type { Sessions } from "../../sessions/sessions.ts";
import { createdAtFilter } from "../created-at-filter.ts";
import { decodeLogCursor, encodeLogCursor } from "../pagination.ts";
import type { Server } from "../server.ts";
import { type StreamTimes, streamEvents } from "../sse.ts";

export interface SessionEventDependencies {
  eventLog: Pick<EventLog, "enqueue">;
  readEventPage(workspaceId: string, sessionId: string, query: EventPageQuery): Promise<EventPage>;
  live: Live;
  sessions: Pick<Sessions, "get">;
  hintRun(sessionId: string): Promise<void>;
  /** Aborts when the server begins to close: streams would keep it open for ever. */
  closing: AbortSignal;
  streamTimes?: StreamTimes;
}

const SessionPath = z.object({ session_id: z.string() });
export const EVENT_STREAM = {
  description: "`event: <type>` and one line of `data:` each.",
  content: { "text/event-stream": { schema: z.union([SessionEvent, EventPreview]) } },
};
export const LoggedOrQueued = z.union([SessionEvent, QueuedEvent]);
const tags = ["Session events"];

/** Events are stored as the wire shows them and were parsed on their way in, so they go out as they are. */
const serializerCompiler = () => JSON.stringify;

export function sessionEventRoutes(app: Server, dependencies: SessionEventDependencies): void {
  const { eventLog, live, sessions, hintRun, readEventPage, closing, streamTimes } = dependencies;

  app.post(
    "/sessions/:session_id/events",
    {
      serializerCompiler,
      schema: {
        tags,
        summary: "Send events to a session",
        description: "Answers once they are queued. `processed_at` is set when a harness takes them up.",
        params: SessionPath,
        body: EventSendParams,
        response: { 200: z.object({ data: z.array(QueuedEvent) }) },
      },
    },
    async ({ workspaceId, params, body }) => {
      const data = await eventLog.enqueue(workspaceId, params.session_id, body.events);
      await hintRun(params.session_id);
      return { data };
    },
  );

  app.get(
    "/sessions/:session_id/events",
    {
      serializerCompiler,
      schema: {
        tags,
        summary: "List a session's events",
        description: "In the order they were processed; those still queued come last.",
        params: SessionPath,
        querystring: EventListQuery,
        response: { 200: page(LoggedOrQueued) },
      },
    },
    async ({ workspaceId, params, query }) => {
      const { order, limit, types } = query;
      const { data, next } = await readEventPage(workspaceId, params.session_id, {
        order,
        limit,
        after: query.page ? decodeLogCursor(query.page, order) : null,
        createdAt: createdAtFilter(query),
        ...(types && { types }),
      });
      return { data, next_page: next === null ? null : encodeLogCursor(order, next) };
    },
  );

  app.get(
    "/sessions/:session_id/events/stream",
    {
      exposeHeadRoute: false,
      schema: {
        tags,
        summary: "Follow a session's events",
        description:
          "Server-sent events: everything committed after the response's headers, nothing from before. " +
          "To miss nothing, open the stream, then list the history, and drop what you see twice by `id`.",
        params: SessionPath,
        querystring: EventStreamQuery,
        response: { 200: EVENT_STREAM },
      },
    },
    async (request, reply) => {
      const { session_id } = request.params;
      await sessions.get(request.workspaceId, session_id);
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
