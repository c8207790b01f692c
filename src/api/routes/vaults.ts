import { z } from "zod";
import { page } from "../../schemas/primitives.ts";
import { DeletedVault, Vault, VaultCreateParams, VaultListQuery, VaultUpdateParams } from "../../schemas/vault.ts";
import type { Vaults } from "../../vaults/vaults.ts";
import { forwardPage } from "../pagination.ts";
import type { Server } from "../server.ts";

const VaultPath = z.object({ vault_id: z.string() });
const tags = ["Vaults"];

export function vaultRoutes(app: Server, vaults: Vaults): void {
  app.post(
    "/vaults",
    { schema: { tags, summary: "Create a vault", body: VaultCreateParams, response: { 200: Vault } } },
    ({ workspaceId, body }) => vaults.create(workspaceId, body),
  );

  app.get(
    "/vaults",
    { schema: { tags, summary: "List vaults", querystring: VaultListQuery, response: { 200: page(Vault) } } },
    ({ workspaceId, query }) => {
      const filter = { includeArchived: query.include_archived ?? false };
      return forwardPage(query, (keyset) => vaults.list(workspaceId, filter, keyset));
    },
  );

  app.get(
    "/vaults/:vault_id",
    { schema: { tags, summary: "Get a vault", params: VaultPath, response: { 200: Vault } } },
    ({ workspaceId, params }) => vaults.get(workspaceId, params.vault_id),
  );

  app.post(
    "/vaults/:vault_id",
    {
      schema: {
        tags,
        summary: "Change a vault's name and metadata",
        params: VaultPath,
        body: VaultUpdateParams,
        response: { 200: Vault },
      },
    },
    ({ workspaceId, params, body }) => vaults.update(workspaceId, params.vault_id, body),
  );

  app.post(
    "/vaults/:vault_id/archive",
    {
      schema: {
        tags,
        summary: "Archive a vault with its credentials, whose secrets are removed",
        params: VaultPath,
        response: { 200: Vault },
      },
    },
    ({ workspaceId, params }) => vaults.archive(workspaceId, params.vault_id),
  );

  app.delete(
    "/vaults/:vault_id",
    {
      schema: {
        tags,
        summary: "Delete a vault with its credentials",
        params: VaultPath,
        response: { 200: DeletedVault },
      },
    },
    ({ workspaceId, params }) => vaults.delete(workspaceId, params.vault_id),
  );
}
