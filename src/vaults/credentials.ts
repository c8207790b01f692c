import { AppError, notFound } from "../errors.ts";
import { newId } from "../ids.ts";
import type { Keyset } from "../keyset.ts";
import { patchMetadata } from "../metadata-patch.ts";
import type { Credential, DeletedCredential } from "../schemas/credential.ts";
import type { AuthUpdateParams, CredentialCreateParams, CredentialUpdateParams } from "../schemas/credential-params.ts";
import { changedAuth, keyOf, newAuth } from "./credential-auth.ts";
import type { CredentialChange, CredentialLabels, CredentialRecordStore } from "./credential-record-store.ts";
import type { CredentialStore } from "./credential-store.ts";
import type { VaultCipher } from "./vault-cipher.ts";
import type { Vaults } from "./vaults.ts";

/**
 * What vaults hold. Secrets go in and never come out here. All throw AppError `not_found` for a vault or credential that
 * is not there, and another workspace's.
 */
export interface Credentials {
  /** @throws AppError `invalid_request` for an archived or full vault, `conflict` when it has one for the same thing */
  create(workspaceId: string, vaultId: string, params: CredentialCreateParams): Promise<Credential>;
  get(workspaceId: string, vaultId: string, id: string): Promise<Credential>;
  list(
    workspaceId: string,
    vaultId: string,
    filter: { includeArchived: boolean },
    keyset: Keyset,
  ): Promise<Credential[]>;
  /** @throws AppError `invalid_request` for an archived one, another type, and what can't be changed */
  update(workspaceId: string, vaultId: string, id: string, params: CredentialUpdateParams): Promise<Credential>;
  /** Its secret is gone for good. Idempotent. */
  archive(workspaceId: string, vaultId: string, id: string): Promise<Credential>;
  delete(workspaceId: string, vaultId: string, id: string): Promise<DeletedCredential>;
}

interface Dependencies {
  records: CredentialRecordStore;
  store: Pick<CredentialStore, "find">;
  vaults: Pick<Vaults, "get">;
  cipher: Pick<VaultCipher, "encrypt">;
}

/** A token that is refreshed all the time changes a few times a minute at most. */
const ATTEMPTS = 5;

export function createCredentials({ records, store, vaults, cipher }: Dependencies): Credentials {
  const encrypt = async (
    workspaceId: string,
    vaultId: string,
    id: string,
    secret: Parameters<typeof cipher.encrypt>[1],
  ) => {
    const dataKey = await records.findDataKey(workspaceId, vaultId);
    if (!dataKey) throw notFound("Vault", vaultId);
    return cipher.encrypt({ vaultId, credentialId: id, dataKey }, secret);
  };

  /** Null when the credential is not there to be changed: the statement that changes it says why. */
  const changeOf = async (workspaceId: string, vaultId: string, id: string, params: AuthUpdateParams) => {
    const stored = await store.find(workspaceId, vaultId, id);
    if (!stored) return null;
    const { settings, secret } = changedAuth(stored, params, Date.now());
    return { version: stored.version, settings, secret: await encrypt(workspaceId, vaultId, id, secret) };
  };

  return {
    async create(workspaceId, vaultId, { auth, display_name, metadata = {} }) {
      const { settings, secret } = newAuth(auth, Date.now());
      const id = newId("vcrd");
      return records.insert(workspaceId, vaultId, {
        id,
        key: keyOf(settings),
        settings,
        secret: await encrypt(workspaceId, vaultId, id, secret),
        display_name: display_name || null,
        metadata,
      });
    },

    async get(workspaceId, vaultId, id) {
      const credential = await records.find(workspaceId, vaultId, id);
      if (!credential) throw notFound("Credential", id);
      return credential;
    },

    async list(workspaceId, vaultId, filter, keyset) {
      await vaults.get(workspaceId, vaultId);
      return records.list(workspaceId, vaultId, filter, keyset);
    },

    async update(workspaceId, vaultId, id, { auth, ...labels }) {
      for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
        const change: CredentialChange = {
          labels: (before) => patchedLabels(before, labels),
          auth: auth ? await changeOf(workspaceId, vaultId, id, auth) : null,
        };
        const updated = await records.update(workspaceId, vaultId, id, change);
        if (updated) return updated;
      }
      throw new AppError("conflict", `Credential \`${id}\` is being changed by somebody else all the time.`);
    },

    async archive(workspaceId, vaultId, id) {
      const archived = await records.archive(workspaceId, vaultId, id);
      if (!archived) throw notFound("Credential", id);
      return archived;
    },

    async delete(workspaceId, vaultId, id) {
      if (!(await records.remove(workspaceId, vaultId, id))) throw notFound("Credential", id);
      return { id, type: "vault_credential_deleted" };
    },
  };
}

function patchedLabels(
  before: Credential,
  { display_name, metadata }: Omit<CredentialUpdateParams, "auth">,
): CredentialLabels {
  return {
    display_name: display_name === undefined ? before.display_name : display_name,
    metadata: patchMetadata(before.metadata, metadata),
  };
}
