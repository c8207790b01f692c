import { AppError, invalid, notFound } from "../errors.ts";
import type { Prisma, PrismaClient, VaultCredential as CredentialRow } from "../generated/client.ts";
import { type Keyset, keysetClauses } from "../keyset.ts";
import { type Credential, CredentialSettings } from "../schemas/credential.ts";
import { Metadata } from "../schemas/primitives.ts";
import { keyField } from "./credential-auth.ts";
import { lockVault, purged } from "./vault-store.ts";

type Bytes = Uint8Array<ArrayBuffer>;

export type CredentialLabels = Pick<Credential, "display_name" | "metadata">;

export interface NewCredential extends CredentialLabels {
  id: string;
  key: string;
  settings: CredentialSettings;
  /** Encrypted. */
  secret: Bytes;
}

export interface CredentialChange {
  labels(before: Credential): CredentialLabels;
  /** Null to leave it. `version` is the one that it was made of. */
  auth: { version: number; settings: CredentialSettings; secret: Bytes } | null;
}

/** What the API shows of credentials and changes in them. Secrets only pass through, encrypted, and never come back. */
export interface CredentialRecordStore {
  /**
   * @throws AppError `not_found` for no such vault, `invalid_request` for an archived or full one, `conflict` when it has
   *   an active credential with that key
   */
  insert(workspaceId: string, vaultId: string, credential: NewCredential): Promise<Credential>;
  find(workspaceId: string, vaultId: string, id: string): Promise<Credential | null>;
  list(
    workspaceId: string,
    vaultId: string,
    filter: { includeArchived: boolean },
    keyset: Keyset,
  ): Promise<Credential[]>;
  /**
   * Null, and nothing is written, when the credential's settings or secret are not of `auth.version` any more.
   * @throws AppError `not_found`, `invalid_request` for an archived one
   */
  update(workspaceId: string, vaultId: string, id: string, change: CredentialChange): Promise<Credential | null>;
  /** Removes the secret and frees the key. One that is archived stays as it is. Null when it is not there. */
  archive(workspaceId: string, vaultId: string, id: string): Promise<Credential | null>;
  /** False when it is not there. */
  remove(workspaceId: string, vaultId: string, id: string): Promise<boolean>;
  /** A vault's encrypted key; null when the vault is not there. */
  findDataKey(workspaceId: string, vaultId: string): Promise<Uint8Array | null>;
}

export const CREDENTIALS_MAX = 20;

export function createCredentialRecordStore(prisma: PrismaClient): CredentialRecordStore {
  return {
    insert: (workspaceId, vaultId, credential) =>
      prisma.$transaction(async (tx) => {
        const vault = await lockVault(tx, workspaceId, vaultId);
        if (!vault) throw notFound("Vault", vaultId);
        if (vault.archivedAt) throw invalid(`Vault \`${vaultId}\` is archived and takes no credentials.`);
        const active = { vaultId, workspaceId, archivedAt: null };
        if (await tx.vaultCredential.findFirst({ where: { ...active, key: credential.key }, select: { id: true } })) {
          throw keyTaken(credential.settings);
        }
        if ((await tx.vaultCredential.count({ where: active })) >= CREDENTIALS_MAX) {
          throw invalid(`A vault can have at most ${CREDENTIALS_MAX} active credentials. Archive one, or add a vault.`);
        }
        const { id, key, settings, secret, display_name: displayName, metadata } = credential;
        const data = { id, workspaceId, vaultId, type: settings.type, key, displayName, metadata, settings, secret };
        return toCredential(await tx.vaultCredential.create({ data, omit: { secret: true } }));
      }),

    async find(workspaceId, vaultId, id) {
      const row = await prisma.vaultCredential.findUnique({
        where: { id, vaultId, workspaceId },
        omit: { secret: true },
      });
      return row && toCredential(row);
    },

    async list(workspaceId, vaultId, { includeArchived }, keyset) {
      const { where, orderBy, take } = keysetClauses(keyset);
      const rows = await prisma.vaultCredential.findMany({
        where: { AND: [where, includeArchived ? {} : { archivedAt: null }], vaultId, workspaceId },
        orderBy,
        take,
        omit: { secret: true },
      });
      return rows.map(toCredential);
    },

    update: (workspaceId, vaultId, id, { labels, auth }) =>
      prisma.$transaction(async (tx) => {
        const row = await lockCredential(tx, workspaceId, vaultId, id);
        if (!row) throw notFound("Credential", id);
        if (row.archivedAt) throw invalid(`Credential \`${id}\` is archived and can't be changed any more.`);
        if (auth && row.version !== auth.version) return null;
        const { display_name: displayName, metadata } = labels(toCredential(row));
        const data = { displayName, metadata, updatedAt: new Date(), ...(auth && authData(auth)) };
        const where = { id, vaultId, workspaceId };
        return toCredential(await tx.vaultCredential.update({ where, data, omit: { secret: true } }));
      }),

    archive: (workspaceId, vaultId, id) =>
      prisma.$transaction(async (tx) => {
        const row = await lockCredential(tx, workspaceId, vaultId, id);
        if (!row || row.archivedAt) return row && toCredential(row);
        const where = { id, vaultId, workspaceId };
        const data = purged(new Date());
        return toCredential(await tx.vaultCredential.update({ where, data, omit: { secret: true } }));
      }),

    async remove(workspaceId, vaultId, id) {
      return (await prisma.vaultCredential.deleteMany({ where: { id, vaultId, workspaceId } })).count > 0;
    },

    async findDataKey(workspaceId, vaultId) {
      const row = await prisma.vault.findUnique({ where: { id: vaultId, workspaceId }, select: { dataKey: true } });
      return row?.dataKey ?? null;
    },
  };
}

async function lockCredential(tx: Prisma.TransactionClient, workspaceId: string, vaultId: string, id: string) {
  await tx.$queryRaw`
    SELECT 1 AS locked FROM vault_credentials
    WHERE id = ${id} AND vault_id = ${vaultId} AND workspace_id = ${workspaceId} FOR UPDATE`;
  return tx.vaultCredential.findUnique({ where: { id, vaultId, workspaceId }, omit: { secret: true } });
}

const keyTaken = (settings: CredentialSettings) =>
  new AppError(
    "conflict",
    `${keyField(settings)}: this vault has an active credential for it. Update that one, or archive it.`,
  );

/** New tokens: whether the endpoint refused the old ones says nothing of them. */
const authData = ({ settings, secret }: NonNullable<CredentialChange["auth"]>) => ({
  settings,
  secret,
  version: { increment: 1 },
  refreshingUntil: null,
  refreshRefusedAt: null,
});

function toCredential(row: Omit<CredentialRow, "secret">): Credential {
  return {
    id: row.id,
    type: "vault_credential",
    vault_id: row.vaultId,
    display_name: row.displayName,
    auth: CredentialSettings.parse(row.settings),
    metadata: Metadata.parse(row.metadata),
    created_at: row.createdAt.toISOString(),
    updated_at: row.updatedAt.toISOString(),
    archived_at: row.archivedAt?.toISOString() ?? null,
  };
}
