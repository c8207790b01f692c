import { isAllowedTeam } from "../../../bots/slack/allowed-teams.ts";
import { createInstallationStore } from "../../../bots/slack/installation-store.ts";
import { INSTALL_PATH } from "../../../bots/slack/requirements.ts";
import type { Config } from "../../config.ts";
import { createLog } from "../../log.ts";
import { openCipher } from "../../roles/installation-cipher.ts";
import { checkNamedServices } from "../../roles/named-services.ts";
import { openDatabase } from "../../roles/open-database.ts";
import type { SlackConfig } from "../../slack-config.ts";
import type { BotToken } from "./slack-tokens.ts";

/**
 * The bot token of the environment, or one for each workspace that installed the app and is still allowed. Opens the database for the latter.
 * @throws what keeps the database from opening, or the tokens in it from being read
 */
export async function botTokens(config: Config, slack: SlackConfig, signal: AbortSignal): Promise<BotToken[]> {
  if (slack.workspaces.type === "token") {
    const renew = `Copy the bot token, xoxb-…, from "OAuth & Permissions" of the app.`;
    return [{ subject: "SLACK_BOT_TOKEN", token: slack.workspaces.botToken.reveal(), renew }];
  }
  const { allowedTeams } = slack.workspaces;
  await checkNamedServices({ ...config, redisUrl: null }, signal);
  const { database, close } = await openDatabase(config, createLog("warn"), signal);
  try {
    const cipher = await openCipher(config);
    const store = createInstallationStore(database, cipher);
    const tokens: BotToken[] = [];
    for (const { team, name } of await store.list()) {
      if (!isAllowedTeam(allowedTeams, team)) continue;
      const token = (await store.find(team))?.bot?.token;
      const renew = `Have it installed there again, at ${INSTALL_PATH}.`;
      if (token !== undefined) tokens.push({ subject: `Installation in ${name ?? team}`, token, renew });
    }
    return tokens;
  } finally {
    await close();
  }
}
