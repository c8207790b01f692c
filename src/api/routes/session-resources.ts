import { z } from "zod";
import { page } from "../../schemas/primitives.ts";
import {
  FileResource,
  FileResourceParams,
  ResourceListQuery,
  ResourceUpdateParams,
  SessionResource,
} from "../../schemas/resource.ts";
import type { Resources } from "../../sessions/resources.ts";
import { sliceOf } from "../pagination.ts";
import type { Server } from "../server.ts";

const SessionPath = z.object({ session_id: z.string() });
const ResourcePath = SessionPath.extend({ resource_id: z.string() });
const ResourceDeleted = z.object({ id: z.string(), type: z.literal("session_resource_deleted") });
const tags = ["Session resources"];

export function sessionResourceRoutes(app: Server, resources: Resources): void {
  app.post(
    "/sessions/:session_id/resources",
    {
      schema: {
        tags,
        summary: "Mount a file into a session",
        params: SessionPath,
        body: FileResourceParams,
        response: { 200: FileResource },
      },
    },
    ({ workspaceId, params, body }) => resources.add(workspaceId, params.session_id, body),
  );

  app.get(
    "/sessions/:session_id/resources",
    {
      schema: {
        tags,
        summary: "List a session's resources",
        params: SessionPath,
        querystring: ResourceListQuery,
        response: { 200: page(SessionResource) },
      },
    },
    async ({ workspaceId, params, query }) => sliceOf(await resources.list(workspaceId, params.session_id), query),
  );

  app.get(
    "/sessions/:session_id/resources/:resource_id",
    { schema: { tags, summary: "Get a session's resource", params: ResourcePath, response: { 200: SessionResource } } },
    ({ workspaceId, params }) => resources.get(workspaceId, params.session_id, params.resource_id),
  );

  app.post(
    "/sessions/:session_id/resources/:resource_id",
    {
      schema: {
        tags,
        summary: "Give a repository another token",
        description: "It counts from the next request on, in a session that runs as well. It is never shown.",
        params: ResourcePath,
        body: ResourceUpdateParams,
        response: { 200: SessionResource },
      },
    },
    ({ workspaceId, params, body }) => resources.update(workspaceId, params.session_id, params.resource_id, body),
  );

  app.delete(
    "/sessions/:session_id/resources/:resource_id",
    {
      schema: {
        tags,
        summary: "Take a file out of a session",
        description: "A sandbox that has the file already keeps it. Repositories stay in their session.",
        params: ResourcePath,
        response: { 200: ResourceDeleted },
      },
    },
    async ({ workspaceId, params }) => {
      await resources.remove(workspaceId, params.session_id, params.resource_id);
      return { id: params.resource_id, type: "session_resource_deleted" as const };
    },
  );
}
