import { z } from "zod";
import { invalid } from "../../errors.ts";
import { page } from "../../schemas/primitives.ts";
import { Session, SessionCreateParams, SessionListQuery, SessionUpdateParams } from "../../schemas/session.ts";
import type { Sessions } from "../../sessions/sessions.ts";
import { createdAtFilter } from "../created-at-filter.ts";
import { assertCursorWithin, bidirectionalPage } from "../pagination.ts";
import type { Server } from "../server.ts";

interface Dependencies {
  sessions: Sessions;
  hintRun(sessionId: string): Promise<void>;
}

const SessionPath = z.object({ session_id: z.string() });
const SessionPage = page(Session).extend({ prev_page: z.string().nullable() });
const SessionDeleted = z.object({ id: z.string(), type: z.literal("session_deleted") });
const tags = ["Sessions"];

export function sessionRoutes(app: Server, { sessions, hintRun }: Dependencies): void {
  app.post(
    "/sessions",
    {
      schema: {
        tags,
        summary: "Create a session",
        description: "With `initial_events` it starts to run at once.",
        body: SessionCreateParams,
        response: { 200: Session },
      },
    },
    async ({ workspaceId, body }) => {
      const session = await sessions.create(workspaceId, body);
      if (session.status === "running") await hintRun(session.id);
      return session;
    },
  );

  app.get(
    "/sessions",
    { schema: { tags, summary: "List sessions", querystring: SessionListQuery, response: { 200: SessionPage } } },
    async ({ workspaceId, query }) => {
      if (query.agent_version !== undefined && query.agent_id === undefined) {
        throw invalid("agent_version: needs `agent_id`");
      }
      if (query.deployment_id !== undefined || query.memory_store_id !== undefined) {
        return { data: [], next_page: null, prev_page: null };
      }
      const createdAt = createdAtFilter(query);
      assertCursorWithin(query.page, query.order, createdAt);
      const filter = {
        agentId: query.agent_id,
        agentVersion: query.agent_version,
        createdAt,
        includeArchived: query.include_archived ?? false,
        statuses: query.statuses,
      };
      return bidirectionalPage(query, (keyset) => sessions.list(workspaceId, filter, keyset));
    },
  );

  app.get(
    "/sessions/:session_id",
    { schema: { tags, summary: "Get a session", params: SessionPath, response: { 200: Session } } },
    ({ workspaceId, params }) => sessions.get(workspaceId, params.session_id),
  );

  app.post(
    "/sessions/:session_id",
    {
      schema: {
        tags,
        summary: "Change a session's title, metadata and vaults",
        description:
          "Metadata is a patch: null deletes a key. Vaults take the place of those before. Logs `session.updated` with " +
          "what changed, if anything did.",
        params: SessionPath,
        body: SessionUpdateParams,
        response: { 200: Session },
      },
    },
    ({ workspaceId, params, body }) => sessions.update(workspaceId, params.session_id, body),
  );

  app.delete(
    "/sessions/:session_id",
    {
      schema: {
        tags,
        summary: "Delete a session with its events and files",
        params: SessionPath,
        response: { 200: SessionDeleted },
      },
    },
    async ({ workspaceId, params }) => {
      await sessions.delete(workspaceId, params.session_id);
      return { id: params.session_id, type: "session_deleted" as const };
    },
  );

  app.post(
    "/sessions/:session_id/archive",
    { schema: { tags, summary: "Archive a session", params: SessionPath, response: { 200: Session } } },
    ({ workspaceId, params }) => sessions.archive(workspaceId, params.session_id),
  );
}
