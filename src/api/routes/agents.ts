import { z } from "zod";
import type { Agents } from "../../agents/agents.ts";
import { Agent, AgentCreateParams, AgentListQuery, AgentVersion } from "../../schemas/agent.ts";
import { page } from "../../schemas/primitives.ts";
import { createdAtFilter } from "../created-at-filter.ts";
import { assertCursorWithin, forwardPage } from "../pagination.ts";
import type { Server } from "../server.ts";

const AgentPath = z.object({ agent_id: z.string() });
const VersionQuery = z.object({ version: z.coerce.number().pipe(AgentVersion).optional() });
const tags = ["Agents"];

export function agentRoutes(app: Server, agents: Agents): void {
  app.post(
    "/agents",
    { schema: { tags, summary: "Create an agent", body: AgentCreateParams, response: { 200: Agent } } },
    (request) => agents.create(request.workspaceId, request.body),
  );

  app.get(
    "/agents",
    { schema: { tags, summary: "List agents", querystring: AgentListQuery, response: { 200: page(Agent) } } },
    ({ workspaceId, query }) => {
      const createdAt = createdAtFilter(query);
      assertCursorWithin(query.page, "desc", createdAt);
      const filter = { includeArchived: query.include_archived ?? false, createdAt };
      return forwardPage(query, (keyset) => agents.list(workspaceId, filter, keyset));
    },
  );

  app.get(
    "/agents/:agent_id",
    {
      schema: {
        tags,
        summary: "Get an agent, at its latest version or a given one",
        params: AgentPath,
        querystring: VersionQuery,
        response: { 200: Agent },
      },
    },
    ({ workspaceId, params, query }) => agents.get(workspaceId, params.agent_id, query.version),
  );
}
