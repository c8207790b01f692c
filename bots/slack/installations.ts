import type { AuthorizeResult, Installation, InstallationQuery } from "@slack/bolt";
import { WebClient, type WebClientOptions } from "@slack/web-api";
import { messageOf, RetryableError, TerminalError } from "../../src/errors.ts";
import type { Logger } from "../../src/log.ts";
import type { InstallationStore } from "./installation-store.ts";
import type { SlackWorkspace, SlackWorkspaces } from "./slack-workspaces.ts";

export interface InstallationsOptions {
  store: InstallationStore;
  clientOptions: WebClientOptions;
  /** `InstallProvider.authorize`: replaces tokens that end soon, and stores the new ones. */
  authorize(query: InstallationQuery<boolean>): Promise<AuthorizeResult>;
  log: Pick<Logger, "warn">;
  now?: () => number;
}

/** `InstallProvider.authorize` refreshes this long before the end; sooner it does nothing. */
const REFRESH_BEFORE_END_MS = 7_200_000;

/** A refresh that failed is not tried again before this, while the old token works. */
const REFRESH_AGAIN_MS = 30_000;

/**
 * The workspaces in which the app was installed by OAuth. Where token rotation is on, a refresh token works once: the process
 * that holds the lock uses it, and the others find the new one stored.
 */
export function createInstallations(options: InstallationsOptions): SlackWorkspaces {
  const { store, clientOptions, authorize, log, now = Date.now } = options;
  const clients = new Map<string, { token: string; client: WebClient }>();
  const refreshing = new Map<string, Promise<Installation>>();
  /** When a refresh that failed may be tried again. */
  const refreshAfter = new Map<string, number>();

  const find = async (team: string) => {
    const installation = await store.find(team);
    if (installation) return installation;
    clients.delete(team);
    throw new TerminalError(`The Slack app is not installed in ${team}, or was removed there.`);
  };

  /** One at a time within this process, so that waiting for the lock takes one connection. */
  const refreshed = (team: string) => {
    const running = refreshing.get(team);
    if (running) return running;
    const refresh = store
      .locked(team, async () => {
        const installation = await find(team);
        if (!endsSoon(installation, now())) return installation;
        await authorize(queryOf(installation));
        return await find(team);
      })
      .finally(() => refreshing.delete(team));
    refreshing.set(team, refresh);
    return refresh;
  };

  /** With a token that works on: the old one as long as it does, when Slack or the lock gives no new one. */
  const usable = async (team: string, stored: Installation): Promise<Installation> => {
    if (!endsSoon(stored, now())) return stored;
    const works = (stored.bot?.expiresAt ?? 0) * 1000 > now();
    if (works && (refreshAfter.get(team) ?? 0) > now()) return stored;
    try {
      const found = await refreshed(team);
      if (endsSoon(found, now())) refreshAfter.set(team, now() + REFRESH_AGAIN_MS);
      else refreshAfter.delete(team);
      return found;
    } catch (error) {
      if (!works || error instanceof TerminalError) throw error;
      log.warn({ slack_team: team, error: messageOf(error) }, "a token of Slack was not replaced, the old one is used");
      refreshAfter.set(team, now() + REFRESH_AGAIN_MS);
      return stored;
    }
  };

  return {
    async of(team): Promise<SlackWorkspace> {
      try {
        const { bot } = await usable(team, await find(team));
        if (!bot) throw new TerminalError(`The Slack app was installed in ${team} without a bot. Install it again.`);
        const known = clients.get(team);
        const client = known?.token === bot.token ? known.client : new WebClient(bot.token, clientOptions);
        clients.set(team, { token: bot.token, client });
        return { client, team, botUserId: bot.userId, botId: bot.id };
      } catch (error) {
        if (error instanceof TerminalError) throw error;
        throw new RetryableError(`The Slack installation of ${team} can't be used now (${messageOf(error)}).`, {
          cause: error,
        });
      }
    },
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
