import { AppError, invalid, notFound } from "../errors.ts";
import { newId } from "../ids.ts";
import type { Keyset } from "../keyset.ts";
import { patchMetadata } from "../metadata-patch.ts";
import type { DeletedVault, Vault, VaultCreateParams, VaultUpdateParams } from "../schemas/vault.ts";
import type { VaultCipher } from "./vault-cipher.ts";
import type { VaultStore } from "./vault-store.ts";

/** All throw AppError `not_found` for a vault that is not there, and another workspace's. */
export interface Vaults {
  create(workspaceId: string, params: VaultCreateParams): Promise<Vault>;
  get(workspaceId: string, id: string): Promise<Vault>;
  list(workspaceId: string, filter: { includeArchived: boolean }, keyset: Keyset): Promise<Vault[]>;
  /** @throws AppError `invalid_request` for an archived one, and for metadata beyond its limits */
  update(workspaceId: string, id: string, params: VaultUpdateParams): Promise<Vault>;
  /** Archives its credentials too, whose secrets are gone for good. Idempotent. */
  archive(workspaceId: string, id: string): Promise<Vault>;
  /** With its credentials. Sessions that name it go on without. */
  delete(workspaceId: string, id: string): Promise<DeletedVault>;
  /** @throws AppError `not_found`, or `invalid_request` for an archived one; it names `vault_ids.<i>` */
  assertUsable(workspaceId: string, vaultIds: readonly string[]): Promise<void>;
}

interface Dependencies {
  store: VaultStore;
  cipher: Pick<VaultCipher, "newDataKey">;
}

export function createVaults({ store, cipher }: Dependencies): Vaults {
  const there = (vault: Vault | null, id: string): Vault => {
    if (!vault) throw notFound("Vault", id);
    return vault;
  };

  return {
    async create(workspaceId, { display_name, metadata = {} }) {
      const id = newId("vlt");
      return store.insert(workspaceId, id, { display_name, metadata }, await cipher.newDataKey(id));
    },

    get: async (workspaceId, id) => there(await store.find(workspaceId, id), id),

    list: (workspaceId, filter, keyset) => store.list(workspaceId, filter, keyset),

    async update(workspaceId, id, { display_name, metadata }) {
      const updated = await store.update(workspaceId, id, (before) => {
        assertActive(before);
        return {
          display_name: display_name ?? before.display_name,
          metadata: patchMetadata(before.metadata, metadata),
        };
      });
      return there(updated, id);
    },

    archive: async (workspaceId, id) => there(await store.archive(workspaceId, id), id),

    async delete(workspaceId, id) {
      if (!(await store.remove(workspaceId, id))) throw notFound("Vault", id);
      return { id, type: "vault_deleted" };
    },

    async assertUsable(workspaceId, vaultIds) {
      if (vaultIds.length === 0) return;
      const vaults = new Map((await store.findMany(workspaceId, vaultIds)).map((vault) => [vault.id, vault]));
      for (const [index, id] of vaultIds.entries()) {
        const vault = vaults.get(id);
        if (!vault) throw new AppError("not_found", `vault_ids.${index}: Vault \`${id}\` was not found.`);
        if (vault.archived_at !== null) throw invalid(`vault_ids.${index}: Vault \`${id}\` is archived.`);
      }
    },
  };
}

function assertActive({ id, archived_at }: Vault): void {
  if (archived_at !== null) throw invalid(`Vault \`${id}\` is archived and can't be changed any more.`);
}
