import type { Agent as AgentRow, AgentVersion as AgentVersionRow, Prisma, PrismaClient } from "../generated/client.ts";
import { type Keyset, keysetClauses } from "../keyset.ts";
import { type Agent, AgentConfig } from "../schemas/agent.ts";
import { Metadata } from "../schemas/primitives.ts";

export interface AgentFilter {
  includeArchived: boolean;
  createdAt: { gte?: string; lte?: string };
}

/** What one version holds and another may have different. */
export interface AgentVersionContent {
  config: AgentConfig;
  metadata: Metadata;
}

/** At most `limit` versions that are older than `before`, or the latest where that is null. */
export interface VersionStretch {
  limit: number;
  before: number | null;
}

/** Methods answer null where the workspace has no such agent. */
export interface AgentStore {
  /** Writes the agent and its first version. */
  insert(workspaceId: string, id: string, content: AgentVersionContent): Promise<Agent>;
  /** `version` null means the latest. */
  find(workspaceId: string, id: string, version: number | null): Promise<Agent | null>;
  list(workspaceId: string, filter: AgentFilter, keyset: Keyset): Promise<Agent[]>;
  /** Newest first. */
  listVersions(workspaceId: string, id: string, stretch: VersionStretch): Promise<Agent[] | null>;
  /**
   * One change at a time: each sees what the one before left.
   * @param change gives the next version, or null for none; may throw, and nothing is changed then
   */
  update(
    workspaceId: string,
    id: string,
    change: (current: Agent) => AgentVersionContent | null,
  ): Promise<Agent | null>;
  /** Keeps the time of the first call. */
  archive(workspaceId: string, id: string): Promise<Agent | null>;
}

const FIRST_VERSION = 1;

export function createAgentStore(prisma: PrismaClient): AgentStore {
  return {
    async insert(workspaceId, id, content) {
      const row = await prisma.agent.create({
        data: {
          id,
          workspaceId,
          version: FIRST_VERSION,
          versions: { create: { version: FIRST_VERSION, ...columnsOf(content) } },
        },
        include: { versions: true },
      });
      return toAgent(row, row.versions[0]);
    },

    find: (workspaceId, id, version) => find(prisma, workspaceId, id, version),

    async list(workspaceId, filter, keyset) {
      const { where, orderBy, take } = keysetClauses(keyset);
      const { includeArchived, createdAt } = filter;
      const rows = await prisma.agent.findMany({
        where: { AND: [where, { createdAt }, includeArchived ? {} : { archivedAt: null }], workspaceId },
        orderBy,
        take,
      });
      const latest = await latestVersions(prisma, rows);
      return rows.map((row) => toAgent(row, latest.get(row.id)));
    },

    async listVersions(workspaceId, id, { limit, before }) {
      const row = await prisma.agent.findUnique({
        where: { id, workspaceId },
        include: {
          versions: {
            where: before === null ? {} : { version: { lt: before } },
            orderBy: { version: "desc" },
            take: limit,
          },
        },
      });
      return row && row.versions.map((version) => toAgent(row, version));
    },

    update: (workspaceId, id, change) =>
      prisma.$transaction(async (tx) => {
        const current = await locked(tx, workspaceId, id);
        const content = current && change(current);
        if (!content) return current;
        const version = current.version + 1;
        await tx.agent.update({ where: { id, workspaceId }, data: { version, updatedAt: new Date() } });
        await tx.agentVersion.create({ data: { agentId: id, version, ...columnsOf(content) } });
        return find(tx, workspaceId, id, version);
      }),

    archive: (workspaceId, id) =>
      prisma.$transaction(async (tx) => {
        const current = await locked(tx, workspaceId, id);
        if (!current || current.archived_at) return current;
        await tx.agent.update({ where: { id, workspaceId }, data: { archivedAt: new Date() } });
        return find(tx, workspaceId, id, null);
      }),
  };
}

async function find(
  client: Pick<Prisma.TransactionClient, "agent">,
  workspaceId: string,
  id: string,
  version: number | null,
): Promise<Agent | null> {
  const row = await client.agent.findUnique({
    where: { id, workspaceId },
    include: { versions: { where: version === null ? {} : { version }, orderBy: { version: "desc" }, take: 1 } },
  });
  return row?.versions[0] ? toAgent(row, row.versions[0]) : null;
}

async function locked(tx: Prisma.TransactionClient, workspaceId: string, id: string): Promise<Agent | null> {
  await tx.$queryRaw`SELECT FROM agents WHERE id = ${id} AND workspace_id = ${workspaceId} FOR UPDATE`;
  return find(tx, workspaceId, id, null);
}

/** By the agent's id. Asked for by their keys: an agent may have a great many older ones. */
async function latestVersions(prisma: PrismaClient, agents: AgentRow[]): Promise<Map<string, AgentVersionRow>> {
  const rows = await prisma.agentVersion.findMany({
    where: { OR: agents.map(({ id, version }) => ({ agentId: id, version })) },
  });
  return new Map(rows.map((row) => [row.agentId, row]));
}

/** A custom tool's schema is any JSON, which Prisma's types for JSON don't take as it is. */
function columnsOf({ config, metadata }: AgentVersionContent) {
  return { config: JSON.parse(JSON.stringify(config)), metadata };
}

function toAgent(agent: AgentRow, version: AgentVersionRow | undefined): Agent {
  if (!version) throw new Error(`agent ${agent.id} has no version ${agent.version}`);
  return {
    id: agent.id,
    type: "agent",
    version: version.version,
    ...AgentConfig.parse(version.config),
    metadata: Metadata.parse(version.metadata),
    created_at: agent.createdAt.toISOString(),
    updated_at: version.createdAt.toISOString(),
    archived_at: agent.archivedAt?.toISOString() ?? null,
  };
}
