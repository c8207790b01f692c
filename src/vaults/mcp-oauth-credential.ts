import type { CredentialSettings } from "../schemas/credential.ts";
import type { CredentialSecret } from "./credential-secret.ts";
import type { StoredCredential } from "./credential-store.ts";
import type { RefreshGrant } from "./mcp-oauth-token-request.ts";

/** A stored credential of type `mcp_oauth`. */
export interface McpOAuthCredential extends StoredCredential {
  type: "mcp_oauth";
  settings: Extract<CredentialSettings, { type: "mcp_oauth" }>;
  secret: Extract<CredentialSecret, { type: "mcp_oauth" }>;
}

export function isMcpOAuth(credential: StoredCredential): credential is McpOAuthCredential {
  return credential.settings.type === "mcp_oauth" && credential.secret.type === "mcp_oauth";
}

/** Pure: what refreshes it; null when nothing does. */
export function refreshGrantOf({ settings, secret }: McpOAuthCredential): RefreshGrant | null {
  if (!settings.refresh || !secret.refresh_token) return null;
  return { settings: settings.refresh, refreshToken: secret.refresh_token, clientSecret: secret.client_secret };
}
