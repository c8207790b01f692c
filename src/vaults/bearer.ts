import { RetryableError } from "../errors.ts";
import type { Secret } from "../secrets/secret.ts";
import type { CredentialStore, StoredCredential } from "./credential-store.ts";
import { isMcpOAuth, type McpOAuthCredential, refreshGrantOf } from "./mcp-oauth-credential.ts";
import type { McpOAuthRefresh, RefreshOutcome } from "./mcp-oauth-refresh.ts";
import { CredentialError, type SessionCredentials } from "./session-credentials.ts";

export interface BearerDeps {
  store: Pick<CredentialStore, "findBearer">;
  refresh: McpOAuthRefresh;
  now(): number;
}

/** An access token is replaced this long before its end, so that it does not end on its way. */
const REFRESH_BEFORE_END_MS = 60_000;
/** A refresh that failed is not tried again before this, while the old token works. */
const REFRESH_AGAIN_MS = 10_000;

/**
 * `SessionCredentials.bearerFor`. A CredentialError whose `cause` is a RetryableError may be gone later; any other one
 * stays until somebody puts in another token.
 */
export function createBearers({ store, refresh, now }: BearerDeps): Pick<SessionCredentials, "bearerFor"> {
  /** When a refresh that failed may be tried again, by credential. */
  const againAt = new Map<string, number>();

  /** The token still works: it is used whenever no other one is to be had. */
  const refreshEarly = async (credential: McpOAuthCredential): Promise<Secret> => {
    const old = credential.secret.access_token;
    if (credential.refreshRefusedAt || (againAt.get(credential.id) ?? 0) > now()) return old;
    const outcome = await refresh.unlessUnderWay(credential);
    if (outcome?.type === "refreshed") {
      againAt.delete(credential.id);
      return outcome.accessToken;
    }
    if (outcome?.type === "failed") againAt.set(credential.id, now() + REFRESH_AGAIN_MS);
    return old;
  };

  return {
    async bearerFor(workspaceId, vaultIds, mcpServerUrl, rejected) {
      const credential = await store.findBearer(workspaceId, vaultIds, mcpServerUrl);
      if (!credential) return null;
      const token = tokenOf(credential);
      const isRejected = token.reveal() === rejected?.reveal();
      if (!isMcpOAuth(credential)) {
        if (isRejected) throw needsAnother(credential, "its server refuses the token");
        return token;
      }

      const leftMs = timeLeftMs(credential, now());
      const works = !isRejected && leftMs > 0;
      if (works && leftMs > REFRESH_BEFORE_END_MS) return token;
      const why = isRejected ? "its server refuses the access token" : "its access token has ended";
      if (!refreshGrantOf(credential)) {
        if (works) return token;
        throw needsAnother(credential, `${why}, and it has no refresh token`);
      }
      if (works) return refreshEarly(credential);
      if (credential.refreshRefusedAt) throw needsAnother(credential, `${why}, and a new one was refused`);
      return tokenOrThrow(credential, why, await refresh.now(credential));
    },
  };
}

function tokenOf({ id, secret }: StoredCredential): Secret {
  if (secret.type === "static_bearer") return secret.token;
  if (secret.type === "mcp_oauth") return secret.access_token;
  throw new Error(`${id} is no token for a server.`);
}

/** Infinite when the end is not known. */
function timeLeftMs({ settings }: McpOAuthCredential, nowMs: number): number {
  return settings.expires_at === null ? Infinity : Date.parse(settings.expires_at) - nowMs;
}

function tokenOrThrow({ id }: McpOAuthCredential, why: string, outcome: RefreshOutcome): Secret {
  if (outcome.type === "refreshed") return outcome.accessToken;
  if (outcome.type === "refused") {
    const message = `Credential ${id} does not work: ${why}, and a new one was refused: ${outcome.message}. Authorize again.`;
    throw new CredentialError(message, id);
  }
  const message = `Credential ${id} does not work now: ${why}, and no new one could be had: ${outcome.message}.`;
  throw new CredentialError(message, id, { cause: new RetryableError(outcome.message) });
}

const needsAnother = ({ id }: StoredCredential, why: string) =>
  new CredentialError(`Credential ${id} does not work: ${why}. Authorize again.`, id);
