import { z } from "zod";
import { page } from "../../schemas/primitives.ts";
import { FileResource, FileResourceParams, ResourceListQuery } from "../../schemas/resource.ts";
import type { Resources } from "../../sessions/resources.ts";
import { sliceOf } from "../pagination.ts";
import type { Server } from "../server.ts";

const SessionPath = z.object({ session_id: z.string() });
const ResourcePath = SessionPath.extend({ resource_id: z.string() });
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
        response: { 200: page(FileResource) },
      },
    },
    async ({ workspaceId, params, query }) => sliceOf(await resources.list(workspaceId, params.session_id), query),
  );

  app.get(
    "/sessions/:session_id/resources/:resource_id",
    { schema: { tags, summary: "Get a session's resource", params: ResourcePath, response: { 200: FileResource } } },
    ({ workspaceId, params }) => resources.get(workspaceId, params.session_id, params.resource_id),
  );
}
