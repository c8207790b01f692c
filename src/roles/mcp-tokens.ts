import { createResolve } from "../gateway/resolve.ts";
import type { GatewayConfig } from "../isolation-config.ts";
import type { Logger } from "../log.ts";
import { createBearers } from "../vaults/bearer.ts";
import { createCheckedFetch } from "../vaults/checked-fetch.ts";
import type { CredentialStore } from "../vaults/credential-store.ts";
import { createMcpOAuthRefresh } from "../vaults/mcp-oauth-refresh.ts";
import { createCredentialValidation, type ValidateCredential } from "../vaults/mcp-oauth-validate.ts";
import type { SessionCredentials } from "../vaults/session-credentials.ts";

export interface McpTokens {
  bearerFor: SessionCredentials["bearerFor"];
  validateCredential: ValidateCredential;
}

export interface McpTokensOptions {
  store: CredentialStore;
  log: Pick<Logger, "warn">;
  gateway: Pick<GatewayConfig, "dnsServers" | "allowedNetworks" | "hostAddresses">;
}

/** What has to do with tokens of MCP servers. It reaches what sandboxes reach: people name the servers. */
export function createMcpTokens({ store, log, gateway }: McpTokensOptions): McpTokens {
  const { dnsServers: servers, allowedNetworks, hostAddresses } = gateway;
  const resolve = createResolve({ servers, allowedNetworks, hostAddresses });
  const fetch = createCheckedFetch({ resolve });
  const now = Date.now;
  const refresh = createMcpOAuthRefresh({ store, fetch, log, now });
  return {
    bearerFor: createBearers({ store, refresh, now }).bearerFor,
    validateCredential: createCredentialValidation({ store, refresh, fetch, now }),
  };
}
