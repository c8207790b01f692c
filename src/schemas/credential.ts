import { z } from "zod";
import { Metadata, PageQuery, QueryBoolean, Timestamp } from "./primitives.ts";

/** Where a secret may be put into requests, apart from what the environment allows. */
export const CredentialNetworking = z.discriminatedUnion("type", [
  z.object({ type: z.literal("unrestricted") }),
  z.object({ type: z.literal("limited"), allowed_hosts: z.array(z.string()) }),
]);
export type CredentialNetworking = z.infer<typeof CredentialNetworking>;

export const InjectionLocation = z.object({ header: z.boolean(), body: z.boolean() });
export type InjectionLocation = z.infer<typeof InjectionLocation>;

export const TokenEndpointAuthType = z.enum(["none", "client_secret_basic", "client_secret_post"]);
export type TokenEndpointAuthType = z.infer<typeof TokenEndpointAuthType>;

export const RefreshSettings = z.object({
  client_id: z.string(),
  token_endpoint: z.string(),
  token_endpoint_auth: z.object({ type: TokenEndpointAuthType }),
  scope: z.string().nullable(),
  resource: z.string().nullable(),
});
export type RefreshSettings = z.infer<typeof RefreshSettings>;

const StaticBearerSettings = z.object({ type: z.literal("static_bearer"), mcp_server_url: z.string() });

const McpOAuthSettings = z.object({
  type: z.literal("mcp_oauth"),
  mcp_server_url: z.string(),
  /** Of the access token; null when that is not known. */
  expires_at: Timestamp.nullable(),
  /** Null for a credential that can't be refreshed. */
  refresh: RefreshSettings.nullable(),
});

const EnvironmentVariableSettings = z.object({
  type: z.literal("environment_variable"),
  secret_name: z.string(),
  networking: CredentialNetworking,
  injection_location: InjectionLocation,
});

/** What of a credential anybody of its workspace may see: as it is stored, and as `auth` of the wire. */
export const CredentialSettings = z.discriminatedUnion("type", [
  StaticBearerSettings,
  McpOAuthSettings,
  EnvironmentVariableSettings,
]);
export type CredentialSettings = z.infer<typeof CredentialSettings>;

export const Credential = z
  .object({
    id: z.string(),
    type: z.literal("vault_credential"),
    vault_id: z.string(),
    display_name: z.string().nullable(),
    auth: CredentialSettings,
    metadata: Metadata,
    created_at: Timestamp,
    updated_at: Timestamp,
    archived_at: Timestamp.nullable(),
  })
  .meta({ id: "Credential" });
export type Credential = z.infer<typeof Credential>;

export const DeletedCredential = z
  .object({ id: z.string(), type: z.literal("vault_credential_deleted") })
  .meta({ id: "DeletedCredential" });
export type DeletedCredential = z.infer<typeof DeletedCredential>;

export const CredentialListQuery = PageQuery.extend({ include_archived: QueryBoolean.optional() });
export type CredentialListQuery = z.infer<typeof CredentialListQuery>;
