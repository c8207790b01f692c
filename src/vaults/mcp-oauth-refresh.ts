import { setTimeout as delay } from "node:timers/promises";
import { messageOf } from "../errors.ts";
import type { Logger } from "../log.ts";
import type { CapturedResponse } from "../schemas/credential-validation.ts";
import type { Secret } from "../secrets/secret.ts";
import type { CheckedFetch } from "./checked-fetch.ts";
import type { CredentialStore } from "./credential-store.ts";
import { isMcpOAuth, type McpOAuthCredential, refreshGrantOf } from "./mcp-oauth-credential.ts";
import { exchange, EXCHANGE_TIMEOUT_MS, type ExchangeOutcome } from "./mcp-oauth-exchange.ts";

export interface McpOAuthRefreshDeps {
  store: Pick<CredentialStore, "find" | "claimRefresh" | "saveRefreshed" | "refuseRefresh" | "releaseRefresh">;
  fetch: CheckedFetch;
  log: Pick<Logger, "warn">;
  now(): number;
}

export type RefreshOutcome =
  /** A token that is stored, of this refresh or of somebody else's. */
  | { type: "refreshed"; accessToken: Secret }
  /** Nothing helps but to authorize again. No response when another worker got it. */
  | { type: "refused"; message: string; response: CapturedResponse | null }
  /** Another try may work. */
  | { type: "failed"; message: string; response: CapturedResponse | null };

/** Makes of a credential, as it was found, one with another access token. At most one worker asks the token endpoint. */
export interface McpOAuthRefresh {
  /** Waits for whoever is at it, up to half a minute, and takes what he got. Rejects as the store does. */
  now(stale: McpOAuthCredential): Promise<RefreshOutcome>;
  /** As `now`, but null at once when somebody is at it. */
  unlessUnderWay(stale: McpOAuthCredential): Promise<RefreshOutcome | null>;
}

/** Longer than an exchange takes at most, so that a claim ends by itself only when its process is gone. */
const CLAIM_MS = EXCHANGE_TIMEOUT_MS + 5_000;
const WAIT_MAX_MS = 30_000;
const POLL_MS = 100;

export function createMcpOAuthRefresh(deps: McpOAuthRefreshDeps): McpOAuthRefresh {
  /** Those of this process, so that its sessions wait for one poll. */
  const running = new Map<string, Promise<RefreshOutcome>>();

  const share = (id: string, refresh: Promise<RefreshOutcome>): Promise<RefreshOutcome> => {
    const shared = refresh.finally(() => running.delete(id));
    running.set(id, shared);
    return shared;
  };

  return {
    now: (stale) => running.get(stale.id) ?? share(stale.id, refreshOrWait(deps, stale)),

    async unlessUnderWay(stale) {
      if (running.has(stale.id)) return null;
      const untilMs = await claim(deps, stale);
      return untilMs === null ? null : refreshClaimed(deps, stale, untilMs);
    },
  };
}

async function refreshOrWait(deps: McpOAuthRefreshDeps, stale: McpOAuthCredential): Promise<RefreshOutcome> {
  const endMs = deps.now() + WAIT_MAX_MS;
  let current = stale;
  while (deps.now() < endMs) {
    const untilMs = await claim(deps, current);
    if (untilMs !== null) return refreshClaimed(deps, current, untilMs);
    await delay(POLL_MS);
    const found = await findAgain(deps, stale);
    if (!found) return gone(stale);
    if (differs(found, stale)) return { type: "refreshed", accessToken: found.secret.access_token };
    if (found.refreshRefusedAt?.getTime() !== stale.refreshRefusedAt?.getTime() && found.refreshRefusedAt) {
      return { type: "refused", message: "another worker was refused a new one", response: null };
    }
    current = found;
  }
  const message = `another worker did not get a new one within ${WAIT_MAX_MS / 1000} s`;
  return { type: "failed", message, response: null };
}

/** Until when it holds; null when another has it, or the credential was changed. */
async function claim({ store, now }: McpOAuthRefreshDeps, { id, version }: McpOAuthCredential): Promise<number | null> {
  const untilMs = now() + CLAIM_MS;
  return (await store.claimRefresh(id, version, untilMs)) ? untilMs : null;
}

async function refreshClaimed(
  deps: McpOAuthRefreshDeps,
  claimed: McpOAuthCredential,
  untilMs: number,
): Promise<RefreshOutcome> {
  const { store, fetch, log, now } = deps;
  const { id, version } = claimed;
  const grant = refreshGrantOf(claimed);
  if (!grant) throw new Error(`${id} has no refresh token.`);
  const outcome = await exchange(fetch, grant, now);
  if (outcome.type === "granted") return save(deps, claimed, outcome, untilMs);

  log.warn({ credential: id, outcome: outcome.type, error: outcome.message }, "a credential was not refreshed");
  await (outcome.type === "refused" ? store.refuseRefresh(id, version) : store.releaseRefresh(id, version));
  // Somebody may have put in another token in the meantime, and it is that token which counts.
  const found = await findAgain(deps, claimed);
  return found && differs(found, claimed) ? { type: "refreshed", accessToken: found.secret.access_token } : outcome;
}

/**
 * Stores what was granted before anybody uses it. The refresh token that was used may be void by now, so this goes on,
 * whatever fails, until the claim ends.
 */
async function save(
  deps: McpOAuthRefreshDeps,
  claimed: McpOAuthCredential,
  granted: Extract<ExchangeOutcome, { type: "granted" }>,
  untilMs: number,
): Promise<RefreshOutcome> {
  const { accessToken, refreshToken, expiresAt } = granted;
  const tokens = { access_token: accessToken, ...(refreshToken ? { refresh_token: refreshToken } : {}) };
  let current = claimed;
  for (;;) {
    try {
      const secret = { ...current.secret, ...tokens };
      if (await deps.store.saveRefreshed(current.id, current.version, { secret, expiresAt })) {
        return { type: "refreshed", accessToken };
      }
      const found = await findAgain(deps, claimed);
      if (!found) return gone(claimed);
      if (differs(found, claimed)) return { type: "refreshed", accessToken: found.secret.access_token };
      // Something else of it was changed, such as its name.
      current = found;
    } catch (error) {
      if (deps.now() >= untilMs) throw error;
      deps.log.warn({ credential: claimed.id, error: messageOf(error) }, "new tokens are not stored yet");
      await delay(POLL_MS);
    }
  }
}

async function findAgain(
  { store }: McpOAuthRefreshDeps,
  { workspaceId, vaultId, id }: McpOAuthCredential,
): Promise<McpOAuthCredential | null> {
  const found = await store.find(workspaceId, vaultId, id);
  return found && isMcpOAuth(found) ? found : null;
}

/** Whether the tokens are others than before. */
function differs({ secret }: McpOAuthCredential, { secret: before }: McpOAuthCredential): boolean {
  return (
    secret.access_token.reveal() !== before.access_token.reveal() ||
    secret.refresh_token?.reveal() !== before.refresh_token?.reveal()
  );
}

const gone = ({ id }: McpOAuthCredential): RefreshOutcome => ({
  type: "refused",
  message: `${id} is not there any more`,
  response: null,
});
