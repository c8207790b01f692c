import { WebAPIPlatformError, WebClient, type WebClientOptions } from "@slack/web-api";
import { messageOf, RetryableError, TerminalError } from "../../src/errors.ts";
import type { SlackWorkspace, SlackWorkspaces } from "./slack-workspaces.ts";

export interface EnvWorkspaceOptions {
  botToken: string;
  clientOptions: WebClientOptions;
}

export interface EnvWorkspace extends SlackWorkspaces {
  /**
   * The one workspace, with its name.
   * @throws TerminalError when Slack refuses the token; RetryableError when Slack can't be asked now
   */
  identify(): Promise<SlackWorkspace & { name: string }>;
}

/** What `auth.test` says of a token that will never work again. */
const REFUSED = new Set([
  "invalid_auth",
  "not_authed",
  "account_inactive",
  "token_revoked",
  "token_expired",
  "not_allowed_token_type",
]);

/** The workspace of SLACK_BOT_TOKEN. Slack is asked once who that is; a question that failed is asked again by the next call. */
export function createEnvWorkspace({ botToken, clientOptions }: EnvWorkspaceOptions): EnvWorkspace {
  const client = new WebClient(botToken, clientOptions);
  let identified: Promise<SlackWorkspace & { name: string }> | null = null;

  const identify = () => {
    identified ??= whoIs(client).catch((error: unknown) => {
      identified = null;
      throw error;
    });
    return identified;
  };

  return {
    identify,
    async of(team) {
      const workspace = await identify();
      if (workspace.team === team) return workspace;
      throw new TerminalError(
        `This app is set up for ${workspace.name} (${workspace.team}) by SLACK_BOT_TOKEN, not for ${team}.`,
      );
    },
  };
}

async function whoIs(client: WebClient): Promise<SlackWorkspace & { name: string }> {
  const answer = await client.auth.test().catch((error: unknown) => {
    if (error instanceof WebAPIPlatformError && REFUSED.has(error.data.error)) {
      throw new TerminalError(
        `Slack refuses SLACK_BOT_TOKEN (${error.data.error}). Copy the bot token, xoxb-…, from "OAuth & Permissions" of the app.`,
        { cause: error },
      );
    }
    throw new RetryableError(`Slack could not be asked whose SLACK_BOT_TOKEN is (${messageOf(error)}).`, {
      cause: error,
    });
  });
  const team = answer.is_enterprise_install === true ? answer.enterprise_id : answer.team_id;
  if (!team || !answer.user_id) {
    throw new TerminalError("SLACK_BOT_TOKEN is not the token of a bot: Slack names no bot user for it.");
  }
  return { client, team, botUserId: answer.user_id, botId: answer.bot_id ?? null, name: answer.team ?? team };
}
