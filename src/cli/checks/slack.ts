import { INSTALL_PATH } from "../../../bots/slack/requirements.ts";
import type { Config } from "../../config.ts";
import type { SlackConfig } from "../../slack-config.ts";
import { botTokens } from "./slack-bot-tokens.ts";
import { checkAgentFeatures, eventFindings } from "./slack-features.ts";
import type { ChatFinding } from "./chat-finding.ts";
import { checkPlatform } from "./chat-platform.ts";
import { checkAppToken, checkBotToken } from "./slack-tokens.ts";

/**
 * Everything that Slack and Deckhand need of each other, as far as it can be seen from here. Changes nothing in Slack.
 * @throws what keeps the database of an app that is installed by OAuth from opening; the signal's reason
 */
export async function checkSlack(config: Config, signal: AbortSignal): Promise<ChatFinding[]> {
  const { slack } = config;
  if (slack === null) return [NOT_SET, ...(await checkPlatform(config, signal))];
  const { apiUrl, transport } = slack;
  const tokens = await botTokens(config, slack, signal);
  const [bots, app, features, platform] = await Promise.all([
    Promise.all(tokens.map((token) => checkBotToken(apiUrl, token))),
    transport.type === "socket" ? checkAppToken(apiUrl, transport.appToken.reveal()) : null,
    tokens[0] ? checkAgentFeatures(apiUrl, tokens[0].token) : [],
    checkPlatform(config, signal),
  ]);
  signal.throwIfAborted();
  return [
    settingsFinding(slack, tokens.length),
    ...bots.flat(),
    ...(app ? [app] : []),
    ...eventFindings(slack),
    ...features,
    ...platform,
  ];
}

const NOT_SET: ChatFinding = {
  state: "missing",
  subject: "Settings",
  detail: "no SLACK_… variable is set, so there is no Slack",
  mend: "Set SLACK_BOT_TOKEN and SLACK_APP_TOKEN, see docs/slack.md.",
};

function settingsFinding({ transport, workspaces }: SlackConfig, installed: number): ChatFinding {
  const subject = "Settings";
  const how = transport.type === "socket" ? "Socket Mode" : "events by HTTP";
  if (workspaces.type === "token") return { state: "ok", subject, detail: `${how}, one workspace by its token` };
  const detail = `${how}, installed by OAuth in ${installed} ${installed === 1 ? "workspace" : "workspaces"}`;
  if (installed > 0) return { state: "ok", subject, detail };
  return { state: "missing", subject, detail, mend: `Start the bots and open ${INSTALL_PATH} where they listen.` };
}
