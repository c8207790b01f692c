import { z } from "zod";
import type { Agents } from "../../agents/agents.ts";
import { Agent, AgentCreateParams, AgentListQuery, AgentUpdateParams, AgentVersionQuery } from "../../schemas/agent.ts";
import { page, PageQuery } from "../../schemas/primitives.ts";
import { createdAtFilter } from "../created-at-filter.ts";
import { assertCursorWithin, forwardPage, versionPage } from "../pagination.ts";
import type { Server } from "../server.ts";

const AgentPath = z.object({ agent_id: z.string() });
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
        querystring: AgentVersionQuery,
        response: { 200: Agent },
      },
    },
    ({ workspaceId, params, query }) => agents.get(workspaceId, params.agent_id, query.version),
  );

  app.post(
    "/agents/:agent_id",
    {
      schema: {
        tags,
        summary: "Update an agent: a new version, when anything changes",
        params: AgentPath,
        body: AgentUpdateParams,
        response: { 200: Agent },
      },
    },
    ({ workspaceId, params, body }) => agents.update(workspaceId, params.agent_id, body),
  );

  app.post(
    "/agents/:agent_id/archive",
    {
      schema: {
        tags,
        summary: "Archive an agent: no changes and no new sessions any more",
        params: AgentPath,
        response: { 200: Agent },
      },
    },
    ({ workspaceId, params }) => agents.archive(workspaceId, params.agent_id),
  );

  app.get(
    "/agents/:agent_id/versions",
    {
      schema: {
        tags,
        summary: "List an agent's versions, newest first",
        params: AgentPath,
        querystring: PageQuery,
        response: { 200: page(Agent) },
      },
    },
    ({ workspaceId, params, query }) =>
      versionPage(query, (stretch) => agents.listVersions(workspaceId, params.agent_id, stretch)),
  );
}
