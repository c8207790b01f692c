import { WebClient, type WebClientOptions } from "@slack/web-api";
import { messageOf, RetryableError, TerminalError } from "../../src/errors.ts";
import { assertAllowedTeam, type AllowedTeams } from "./allowed-teams.ts";
import type { InstallationStore } from "./installation-store.ts";
import type { SlackWorkspace, SlackWorkspaces } from "./slack-workspaces.ts";
import { createTokenRefresh, type TokenRefreshOptions } from "./token-refresh.ts";

export interface InstallationsOptions extends Pick<TokenRefreshOptions, "authorize" | "log"> {
  store: InstallationStore;
  /** Of others, what is stored from before is not used. */
  allowedTeams: AllowedTeams;
  clientOptions: WebClientOptions;
  now?: () => number;
}

/**
 * The workspaces in which the app was installed by OAuth. Their tokens are replaced before they end.
 */
export function createInstallations(options: InstallationsOptions): SlackWorkspaces {
  const { store, allowedTeams, clientOptions, authorize, log, now = Date.now } = options;
  const clients = new Map<string, { token: string; client: WebClient }>();

  const find = async (team: string) => {
    const installation = await store.find(team);
    if (installation) return installation;
    clients.delete(team);
    throw new TerminalError(`The Slack app is not installed in ${team}, or was removed there.`);
  };

  const usable = createTokenRefresh({ store, authorize, log, now, find });

  return {
    async of(team): Promise<SlackWorkspace> {
      try {
        assertAllowedTeam(allowedTeams, team);
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
