import type { Prisma, PrismaClient, Vault as VaultRow } from "../generated/client.ts";
import { type Keyset, keysetClauses } from "../keyset.ts";
import { Metadata } from "../schemas/primitives.ts";
import type { Vault } from "../schemas/vault.ts";

export type VaultLabels = Pick<Vault, "display_name" | "metadata">;

/** A vault's rows of credentials go with it: archived with it, deleted with it. */
export interface VaultStore {
  insert(workspaceId: string, id: string, labels: VaultLabels, dataKey: Uint8Array<ArrayBuffer>): Promise<Vault>;
  find(workspaceId: string, id: string): Promise<Vault | null>;
  /** In no order; those that are there. */
  findMany(workspaceId: string, ids: readonly string[]): Promise<Vault[]>;
  list(workspaceId: string, filter: { includeArchived: boolean }, keyset: Keyset): Promise<Vault[]>;
  /** Writes what `change` makes of it, while nobody else changes it; nothing when `change` throws. Null when it is not there. */
  update(workspaceId: string, id: string, change: (before: Vault) => VaultLabels): Promise<Vault | null>;
  /** Removes all its secrets with it. One that is archived stays as it is. Null when it is not there. */
  archive(workspaceId: string, id: string): Promise<Vault | null>;
  /** False when it is not there. */
  remove(workspaceId: string, id: string): Promise<boolean>;
}

export function createVaultStore(prisma: PrismaClient): VaultStore {
  return {
    async insert(workspaceId, id, { display_name: displayName, metadata }, dataKey) {
      return toVault(await prisma.vault.create({ data: { id, workspaceId, displayName, metadata, dataKey } }));
    },

    async find(workspaceId, id) {
      const row = await prisma.vault.findUnique({ where: { id, workspaceId } });
      return row && toVault(row);
    },

    async findMany(workspaceId, ids) {
      return (await prisma.vault.findMany({ where: { id: { in: [...ids] }, workspaceId } })).map(toVault);
    },

    async list(workspaceId, { includeArchived }, keyset) {
      const { where, orderBy, take } = keysetClauses(keyset);
      const rows = await prisma.vault.findMany({
        where: { AND: [where, includeArchived ? {} : { archivedAt: null }], workspaceId },
        orderBy,
        take,
      });
      return rows.map(toVault);
    },

    update: (workspaceId, id, change) =>
      prisma.$transaction(async (tx) => {
        const row = await lockVault(tx, workspaceId, id);
        if (!row) return null;
        const { display_name: displayName, metadata } = change(toVault(row));
        const data = { displayName, metadata, updatedAt: new Date() };
        return toVault(await tx.vault.update({ where: { id, workspaceId }, data }));
      }),

    archive: (workspaceId, id) =>
      prisma.$transaction(async (tx) => {
        const row = await lockVault(tx, workspaceId, id);
        if (!row || row.archivedAt) return row && toVault(row);
        const now = new Date();
        await tx.vaultCredential.updateMany({
          where: { vaultId: id, workspaceId, archivedAt: null },
          data: purged(now),
        });
        const data = { archivedAt: now, updatedAt: now };
        return toVault(await tx.vault.update({ where: { id, workspaceId }, data }));
      }),

    async remove(workspaceId, id) {
      return (await prisma.vault.deleteMany({ where: { id, workspaceId } })).count > 0;
    },
  };
}

/** Holds off whoever adds a credential to it, or archives it, until the transaction ends. */
export async function lockVault(tx: Prisma.TransactionClient, workspaceId: string, id: string) {
  await tx.$queryRaw`SELECT 1 AS locked FROM vaults WHERE id = ${id} AND workspace_id = ${workspaceId} FOR UPDATE`;
  return tx.vault.findUnique({ where: { id, workspaceId } });
}

/** What archiving makes of a credential: the secret is gone, and what it was for is free. */
export const purged = (now: Date) =>
  ({
    secret: null,
    archivedAt: now,
    updatedAt: now,
    version: { increment: 1 },
    refreshingUntil: null,
  }) satisfies Prisma.VaultCredentialUpdateManyMutationInput;

function toVault(row: VaultRow): Vault {
  return {
    id: row.id,
    type: "vault",
    display_name: row.displayName,
    metadata: Metadata.parse(row.metadata),
    created_at: row.createdAt.toISOString(),
    updated_at: row.updatedAt.toISOString(),
    archived_at: row.archivedAt?.toISOString() ?? null,
  };
}
