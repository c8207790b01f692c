import { z } from "zod";
import type { Environments } from "../../environments/environments.ts";
import { page } from "../../schemas/primitives.ts";
import { Environment, EnvironmentCreateParams, EnvironmentListQuery } from "../../schemas/environment.ts";
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
}
