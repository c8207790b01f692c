import { z } from "zod";
import type { Environments } from "../../environments/environments.ts";
import { page } from "../../schemas/primitives.ts";
import {
  DeletedEnvironment,
  Environment,
  EnvironmentCreateParams,
  EnvironmentListQuery,
  EnvironmentUpdateParams,
} from "../../schemas/environment.ts";
import { forwardPage } from "../pagination.ts";
import type { Server } from "../server.ts";

const EnvironmentPath = z.object({ environment_id: z.string() });
const tags = ["Environments"];

export function environmentRoutes(app: Server, environments: Environments): void {
  app.post(
    "/environments",
    {
      schema: {
        tags,
        summary: "Create an environment",
        body: EnvironmentCreateParams,
        response: { 200: Environment },
      },
    },
    (request) => environments.create(request.workspaceId, request.body),
  );

  app.get(
    "/environments",
    {
      schema: {
        tags,
        summary: "List environments",
        querystring: EnvironmentListQuery,
        response: { 200: page(Environment) },
      },
    },
    ({ workspaceId, query }) => {
      const filter = { includeArchived: query.include_archived ?? false };
      return forwardPage(query, (keyset) => environments.list(workspaceId, filter, keyset));
    },
  );

  app.get(
    "/environments/:environment_id",
    {
      schema: { tags, summary: "Get an environment", params: EnvironmentPath, response: { 200: Environment } },
    },
    ({ workspaceId, params }) => environments.get(workspaceId, params.environment_id),
  );

  app.post(
    "/environments/:environment_id",
    {
      schema: {
        tags,
        summary: "Update an environment",
        params: EnvironmentPath,
        body: EnvironmentUpdateParams,
        response: { 200: Environment },
      },
    },
    ({ workspaceId, params, body }) => environments.update(workspaceId, params.environment_id, body),
  );

  app.post(
    "/environments/:environment_id/archive",
    {
      schema: { tags, summary: "Archive an environment", params: EnvironmentPath, response: { 200: Environment } },
    },
    ({ workspaceId, params }) => environments.archive(workspaceId, params.environment_id),
  );

  app.delete(
    "/environments/:environment_id",
    {
      schema: {
        tags,
        summary: "Delete an environment",
        params: EnvironmentPath,
        response: { 200: DeletedEnvironment },
      },
    },
    async ({ workspaceId, params }) => {
      await environments.delete(workspaceId, params.environment_id);
      return { id: params.environment_id, type: "environment_deleted" as const };
    },
  );
}
