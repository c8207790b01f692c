import { z } from "zod";
import { Credential, CredentialListQuery, DeletedCredential } from "../../schemas/credential.ts";
import { CredentialCreateParams, CredentialUpdateParams } from "../../schemas/credential-params.ts";
import { CredentialValidation } from "../../schemas/credential-validation.ts";
import { page } from "../../schemas/primitives.ts";
import type { Credentials } from "../../vaults/credentials.ts";
import type { ValidateCredential } from "../../vaults/mcp-oauth-validate.ts";
import { forwardPage } from "../pagination.ts";
import type { Server } from "../server.ts";

const VaultPath = z.object({ vault_id: z.string() });
const CredentialPath = VaultPath.extend({ credential_id: z.string() });
const tags = ["Vaults"];

/** No answer has a secret: the schemas of what is answered have no place for one. */
export function credentialRoutes(app: Server, credentials: Credentials, validate: ValidateCredential): void {
  app.post(
    "/vaults/:vault_id/credentials",
    {
      schema: {
        tags,
        summary: "Put a credential into a vault",
        params: VaultPath,
        body: CredentialCreateParams,
        response: { 200: Credential },
      },
    },
    ({ workspaceId, params, body }) => credentials.create(workspaceId, params.vault_id, body),
  );

  app.get(
    "/vaults/:vault_id/credentials",
    {
      schema: {
        tags,
        summary: "List a vault's credentials",
        params: VaultPath,
        querystring: CredentialListQuery,
        response: { 200: page(Credential) },
      },
    },
    ({ workspaceId, params, query }) => {
      const filter = { includeArchived: query.include_archived ?? false };
      return forwardPage(query, (keyset) => credentials.list(workspaceId, params.vault_id, filter, keyset));
    },
  );

  app.get(
    "/vaults/:vault_id/credentials/:credential_id",
    { schema: { tags, summary: "Get a credential", params: CredentialPath, response: { 200: Credential } } },
    ({ workspaceId, params }) => credentials.get(workspaceId, params.vault_id, params.credential_id),
  );

  app.post(
    "/vaults/:vault_id/credentials/:credential_id",
    {
      schema: {
        tags,
        summary: "Change a credential, such as to a new secret",
        params: CredentialPath,
        body: CredentialUpdateParams,
        response: { 200: Credential },
      },
    },
    ({ workspaceId, params, body }) => credentials.update(workspaceId, params.vault_id, params.credential_id, body),
  );

  app.post(
    "/vaults/:vault_id/credentials/:credential_id/archive",
    {
      schema: {
        tags,
        summary: "Archive a credential, whose secret is removed",
        params: CredentialPath,
        response: { 200: Credential },
      },
    },
    ({ workspaceId, params }) => credentials.archive(workspaceId, params.vault_id, params.credential_id),
  );

  app.post(
    "/vaults/:vault_id/credentials/:credential_id/mcp_oauth_validate",
    {
      schema: {
        tags,
        summary: "Try a credential at its MCP server",
        params: CredentialPath,
        response: { 200: CredentialValidation },
      },
    },
    ({ workspaceId, params }) => validate(workspaceId, params.vault_id, params.credential_id),
  );

  app.delete(
    "/vaults/:vault_id/credentials/:credential_id",
    {
      schema: { tags, summary: "Delete a credential", params: CredentialPath, response: { 200: DeletedCredential } },
    },
    ({ workspaceId, params }) => credentials.delete(workspaceId, params.vault_id, params.credential_id),
  );
}
