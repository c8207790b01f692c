import type { Agent as AgentRow, AgentVersion as AgentVersionRow, PrismaClient } from "../generated/client.ts";
import { type Keyset, keysetClauses } from "../keyset.ts";
import { type Agent, AgentConfig } from "../schemas/agent.ts";
import { Metadata } from "../schemas/primitives.ts";

export interface AgentFilter {
  includeArchived: boolean;
  createdAt: { gte?: string; lte?: string };
}

export interface AgentStore {
  /** Writes the agent and its first version. */
  insert(workspaceId: string, id: string, config: AgentConfig, metadata: Metadata): Promise<Agent>;
  /** `version` null means the latest. */
  find(workspaceId: string, id: string, version: number | null): Promise<Agent | null>;
  list(workspaceId: string, filter: AgentFilter, keyset: Keyset): Promise<Agent[]>;
}

const FIRST_VERSION = 1;

export function createAgentStore(prisma: PrismaClient): AgentStore {
  return {
    async insert(workspaceId, id, config, metadata) {
      const row = await prisma.agent.create({
        data: {
          id,
          workspaceId,
          version: FIRST_VERSION,
          metadata,
          versions: { create: { version: FIRST_VERSION, config } },
        },
        include: { versions: true },
      });
      return toAgent(row, row.versions[0]);
    },

    async find(workspaceId, id, version) {
      const row = await prisma.agent.findUnique({
        where: { id, workspaceId },
        include: {
          versions: { where: version === null ? {} : { version }, orderBy: { version: "desc" }, take: 1 },
        },
      });
      return row?.versions[0] ? toAgent(row, row.versions[0]) : null;
    },

    async list(workspaceId, filter, keyset) {
      const { where, orderBy, take } = keysetClauses(keyset);
      const { includeArchived, createdAt } = filter;
      const rows = await prisma.agent.findMany({
        where: { AND: [where, { createdAt }, includeArchived ? {} : { archivedAt: null }], workspaceId },
        include: { versions: { orderBy: { version: "desc" }, take: 1 } },
        orderBy,
        take,
      });
      return rows.map((row) => toAgent(row, row.versions[0]));
    },
  };
}

function toAgent(agent: AgentRow, version: AgentVersionRow | undefined): Agent {
  if (!version) throw new Error(`agent ${agent.id} has no version ${agent.version}`);
  return {
    id: agent.id,
    type: "agent",
    version: version.version,
    ...AgentConfig.parse(version.config),
    metadata: Metadata.parse(agent.metadata),
    created_at: agent.createdAt.toISOString(),
    updated_at: version.createdAt.toISOString(),
    archived_at: agent.archivedAt?.toISOString() ?? null,
  };
}
