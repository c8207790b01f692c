import type { Environment as EnvironmentRow, PrismaClient } from "../generated/client.ts";
import { type Keyset, keysetClauses } from "../keyset.ts";
import { Metadata } from "../schemas/primitives.ts";
import { type Environment, EnvironmentConfig } from "../schemas/environment.ts";

export type NewEnvironment = Pick<Environment, "id" | "name" | "description" | "config" | "metadata">;

export interface EnvironmentStore {
  insert(workspaceId: string, environment: NewEnvironment): Promise<Environment>;
  find(workspaceId: string, id: string): Promise<Environment | null>;
  list(workspaceId: string, filter: { includeArchived: boolean }, keyset: Keyset): Promise<Environment[]>;
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
  };
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
