import type { Environment as EnvironmentRow, Prisma, PrismaClient } from "../generated/client.ts";
import { type Keyset, keysetClauses } from "../keyset.ts";
import { Metadata } from "../schemas/primitives.ts";
import { type Environment, EnvironmentConfig } from "../schemas/environment.ts";

export type EnvironmentChange = Pick<Environment, "name" | "description" | "config" | "metadata">;
export type NewEnvironment = EnvironmentChange & Pick<Environment, "id">;

/** Methods answer null where the workspace has no such environment. */
export interface EnvironmentStore {
  insert(workspaceId: string, environment: NewEnvironment): Promise<Environment>;
  find(workspaceId: string, id: string): Promise<Environment | null>;
  list(workspaceId: string, filter: { includeArchived: boolean }, keyset: Keyset): Promise<Environment[]>;
  /**
   * One change at a time: each sees what the one before left.
   * @param change may throw; nothing is changed then
   */
  update(
    workspaceId: string,
    id: string,
    change: (current: Environment) => EnvironmentChange,
  ): Promise<Environment | null>;
  /** Keeps the time of the first call. */
  archive(workspaceId: string, id: string): Promise<Environment | null>;
  deleteUnused(workspaceId: string, id: string): Promise<"deleted" | "in_use" | "not_found">;
}

export function createEnvironmentStore(prisma: PrismaClient): EnvironmentStore {
  return {
    async insert(workspaceId, environment) {
      return toEnvironment(await prisma.environment.create({ data: { ...environment, workspaceId } }));
    },

    async find(workspaceId, id) {
      const row = await prisma.environment.findUnique({ where: { id, workspaceId } });
      return row && toEnvironment(row);
    },

    async list(workspaceId, { includeArchived }, keyset) {
      const { where, orderBy, take } = keysetClauses(keyset);
      const rows = await prisma.environment.findMany({
        where: { AND: [where, includeArchived ? {} : { archivedAt: null }], workspaceId },
        orderBy,
        take,
      });
      return rows.map(toEnvironment);
    },

    update: (workspaceId, id, change) =>
      prisma.$transaction(async (transaction) => {
        const row = await locked(transaction, workspaceId, id);
        if (!row) return null;
        const data = { ...change(toEnvironment(row)), updatedAt: new Date() };
        return toEnvironment(await transaction.environment.update({ where: { id, workspaceId }, data }));
      }),

    archive: (workspaceId, id) =>
      prisma.$transaction(async (transaction) => {
        const row = await locked(transaction, workspaceId, id);
        if (!row || row.archivedAt) return row && toEnvironment(row);
        const now = new Date();
        const data = { archivedAt: now, updatedAt: now };
        return toEnvironment(await transaction.environment.update({ where: { id, workspaceId }, data }));
      }),

    deleteUnused: (workspaceId, id) =>
      prisma.$transaction(async (transaction) => {
        if (!(await locked(transaction, workspaceId, id))) return "not_found";
        const session = await transaction.session.findFirst({
          where: { workspaceId, environmentId: id, archivedAt: null },
          select: { id: true },
        });
        if (session) return "in_use";
        await transaction.environment.delete({ where: { id, workspaceId } });
        return "deleted";
      }),
  };
}

async function locked(
  transaction: Prisma.TransactionClient,
  workspaceId: string,
  id: string,
): Promise<EnvironmentRow | null> {
  await transaction.$queryRaw`SELECT FROM environments WHERE id = ${id} AND workspace_id = ${workspaceId} FOR UPDATE`;
  return transaction.environment.findUnique({ where: { id, workspaceId } });
}

function toEnvironment(row: EnvironmentRow): Environment {
  return {
    id: row.id,
    type: "environment",
    name: row.name,
    description: row.description,
    config: EnvironmentConfig.parse(row.config),
    metadata: Metadata.parse(row.metadata),
    scope: "organization",
    created_at: row.createdAt.toISOString(),
    updated_at: row.updatedAt.toISOString(),
    archived_at: row.archivedAt?.toISOString() ?? null,
  };
}
