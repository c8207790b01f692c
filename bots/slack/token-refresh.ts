import type { AuthorizeResult, Installation, InstallationQuery } from "@slack/bolt";
import { messageOf, TerminalError } from "../../src/errors.ts";
import type { Logger } from "../../src/log.ts";
import type { InstallationStore } from "./installation-store.ts";

export interface TokenRefreshOptions {
  store: Pick<InstallationStore, "locked">;
  /** `InstallProvider.authorize`: replaces tokens that end soon, and stores the new ones. */
  authorize(query: InstallationQuery<boolean>): Promise<AuthorizeResult>;
  /** What is stored right now. @throws TerminalError when there is nothing */
  find(team: string): Promise<Installation>;
  log: Pick<Logger, "warn">;
  now(): number;
}

/** `InstallProvider.authorize` refreshes this long before the end; sooner it does nothing. */
const REFRESH_BEFORE_END_MS = 7_200_000;

/** A refresh that failed is not tried again before this, while the old token works. */
const REFRESH_AGAIN_MS = 30_000;

/**
 * Makes of a stored installation one whose token works. Where token rotation is on, a refresh token works once: the process that
 * holds the lock uses it, and the others find the new one stored. While Slack or the lock gives no new token, the old one is used as
 * long as it works. Rejects with TerminalError when the app was removed, otherwise as Slack's client and the store do.
 */
export function createTokenRefresh(options: TokenRefreshOptions) {
  const { log, now } = options;
  const replace = createReplacement(options);
  /** When a refresh that failed may be tried again, by team. */
  const againAt = new Map<string, number>();

  return async (team: string, stored: Installation): Promise<Installation> => {
    if (!endsSoon(stored, now())) return stored;
    const works = (stored.bot?.expiresAt ?? 0) * 1000 > now();
    if (works && (againAt.get(team) ?? 0) > now()) return stored;
    const later = () => againAt.set(team, now() + REFRESH_AGAIN_MS);
    try {
      const found = await replace(team);
      if (endsSoon(found, now())) later();
      return found;
    } catch (error) {
      if (!works || error instanceof TerminalError) throw error;
      later();
      log.warn({ slack_team: team, error: messageOf(error) }, "a token of Slack was not replaced, the old one is used");
      return stored;
    }
  };
}

/** One at a time within this process, so that waiting for the lock takes one connection. */
function createReplacement({ store, find, authorize, now }: TokenRefreshOptions) {
  const running = new Map<string, Promise<Installation>>();
  return (team: string): Promise<Installation> => {
    const already = running.get(team);
    if (already) return already;
    const replacement = store
      .locked(team, async () => {
        const installation = await find(team);
        if (!endsSoon(installation, now())) return installation;
        await authorize(queryOf(installation));
        return await find(team);
      })
      .finally(() => running.delete(team));
    running.set(team, replacement);
    return replacement;
  };
}

function endsSoon({ bot }: Installation, nowMs: number): boolean {
  if (bot?.refreshToken === undefined || bot.expiresAt === undefined) return false;
  return bot.expiresAt * 1000 - nowMs <= REFRESH_BEFORE_END_MS;
}

function queryOf(installation: Installation): InstallationQuery<boolean> {
  return {
    isEnterpriseInstall: installation.isEnterpriseInstall === true,
    teamId: installation.team?.id,
    enterpriseId: installation.enterprise?.id,
  };
}
