import { invalid, notFound } from "../errors.ts";
import type { CredentialRefreshReport, CredentialValidation } from "../schemas/credential-validation.ts";
import type { Secret } from "../secrets/secret.ts";
import type { CheckedFetch } from "./checked-fetch.ts";
import type { CredentialStore, StoredCredential } from "./credential-store.ts";
import { isMcpOAuth, refreshGrantOf } from "./mcp-oauth-credential.ts";
import type { McpOAuthRefresh, RefreshOutcome } from "./mcp-oauth-refresh.ts";
import { probeMcpServer, type ProbeResult } from "./mcp-probe.ts";

export interface ValidationDeps {
  store: Pick<CredentialStore, "find">;
  refresh: McpOAuthRefresh;
  fetch: CheckedFetch;
  now(): number;
}

/**
 * Tries a credential at its MCP server, and refreshes it when that answers 401. What was granted on the way is kept.
 * @throws AppError: `not_found` for one that is not active in this vault, `invalid_request` for one that is for no server
 */
export type ValidateCredential = (
  workspaceId: string,
  vaultId: string,
  credentialId: string,
) => Promise<CredentialValidation>;

type Finding = Pick<CredentialValidation, "status" | "mcp_probe" | "refresh">;

const STATUS = { accepted: "valid", unauthorized: "invalid", forbidden: "invalid", unclear: "unknown" } as const;

export function createCredentialValidation(deps: ValidationDeps): ValidateCredential {
  return async (workspaceId, vaultId, credentialId) => {
    const credential = await deps.store.find(workspaceId, vaultId, credentialId);
    if (!credential) throw notFound("Credential", credentialId);
    return {
      type: "vault_credential_validation",
      credential_id: credentialId,
      vault_id: vaultId,
      has_refresh_token: isMcpOAuth(credential) && credential.secret.refresh_token !== null,
      ...(await findOut(deps, credential)),
      validated_at: new Date(deps.now()).toISOString(),
    };
  };
}

async function findOut({ fetch, refresh }: ValidationDeps, credential: StoredCredential): Promise<Finding> {
  const { url, token } = serverOf(credential);
  const first = await probeMcpServer(fetch, url, token);
  if (first.type !== "unauthorized") return findingOf(first, null);
  if (!isMcpOAuth(credential) || !refreshGrantOf(credential)) {
    return findingOf(first, { status: "no_refresh_token", http_response: null });
  }

  const outcome = await refresh.now(credential);
  const report = refreshReport(outcome);
  if (outcome.type === "refreshed") return findingOf(await probeMcpServer(fetch, url, outcome.accessToken), report);
  // A token endpoint that has trouble says nothing about the credential.
  const status = outcome.type === "refused" ? "invalid" : "unknown";
  return { ...findingOf(first, report), status };
}

function serverOf({ settings, secret }: StoredCredential): { url: string; token: Secret } {
  if (settings.type === "environment_variable" || secret.type === "environment_variable") {
    throw invalid("A credential of type `environment_variable` is for no MCP server, so there is nothing to validate.");
  }
  return {
    url: settings.mcp_server_url,
    token: secret.type === "mcp_oauth" ? secret.access_token : secret.token,
  };
}

function findingOf(probe: ProbeResult, refresh: CredentialRefreshReport | null): Finding {
  return { status: STATUS[probe.type], mcp_probe: probe.type === "accepted" ? null : probe.report, refresh };
}

function refreshReport(outcome: RefreshOutcome): CredentialRefreshReport {
  if (outcome.type === "refreshed") return { status: "succeeded", http_response: null };
  const isAnswer = outcome.type === "refused" || outcome.response !== null;
  return { status: isAnswer ? "failed" : "connect_error", http_response: outcome.response };
}
