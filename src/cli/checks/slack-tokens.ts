import { APP_TOKEN_SCOPE, BOT_SCOPES } from "../../../bots/slack/requirements.ts";
import type { ChatFinding } from "./chat-finding.ts";
import { askSlack, questionClient } from "./slack-question.ts";

/** A bot token, and what to call it. */
export interface BotToken {
  subject: string;
  token: string;
  /** What a person does to get a good one. */
  renew: string;
}

/** Whose the token is, and each permission that it lacks. */
export async function checkBotToken(apiUrl: string, { subject, token, renew }: BotToken): Promise<ChatFinding[]> {
  const answer = await askSlack(questionClient(apiUrl, token).auth.test());
  if (answer.type === "no_answer") return [noAnswer(subject, answer.why)];
  if (answer.type === "no" && answer.code === "token_expired") {
    const detail = "it has run out; where tokens rotate, the bots replace it before they use it";
    return [{ state: "cannot_tell", subject, detail, mend: renew }];
  }
  if (answer.type === "no")
    return [{ state: "missing", subject, detail: `Slack refuses it (${answer.code})`, mend: renew }];
  const { user, user_id, team, team_id, is_enterprise_install, response_metadata } = answer.result;
  if (!user_id) return [{ state: "missing", subject, detail: "it is no token of a bot", mend: renew }];
  const where = is_enterprise_install === true ? "an organisation, by way of " : "";
  const detail = `${user ?? user_id} (${user_id}) in ${where}${team ?? "?"} (${team_id ?? "?"})`;
  return [{ state: "ok", subject, detail }, ...scopeFindings(subject, response_metadata?.scopes)];
}

/** Whether Slack opens a Socket Mode connection for it. Opens none: the address that Slack names is not used. */
export async function checkAppToken(apiUrl: string, token: string): Promise<ChatFinding> {
  const subject = "SLACK_APP_TOKEN";
  const answer = await askSlack(questionClient(apiUrl, token).apps.connections.open());
  if (answer.type === "yes") return { state: "ok", subject, detail: "Slack gives a Socket Mode connection for it" };
  if (answer.type === "no_answer") return noAnswer(subject, answer.why);
  return {
    state: "missing",
    subject,
    detail: `Slack gives no Socket Mode connection for it (${answer.code})`,
    mend:
      `Turn on "Socket Mode" in the app's settings, and make an app-level token with ${APP_TOKEN_SCOPE} under ` +
      `"Basic Information".`,
  };
}

/** Pure: one line for each scope that is missing, or one for all of them. */
export function scopeFindings(token: string, granted: readonly string[] | undefined): ChatFinding[] {
  const subject = `Scopes of ${token}`;
  if (granted === undefined) {
    const detail = "Slack did not say which it has";
    return [{ state: "cannot_tell", subject, detail, mend: `Compare "OAuth & Permissions" with the manifest.` }];
  }
  const missing = BOT_SCOPES.filter(({ scope }) => !granted.includes(scope));
  if (missing.length === 0) return [{ state: "ok", subject, detail: `all ${BOT_SCOPES.length}` }];
  return missing.map(({ scope, why }) => ({
    state: "missing",
    subject,
    detail: `${scope}, which Deckhand needs to ${why}`,
    mend: `Add it under "OAuth & Permissions", then install the app again.`,
  }));
}

function noAnswer(subject: string, why: string): ChatFinding {
  return {
    state: "missing",
    subject,
    detail: `Slack could not be asked: ${why}`,
    mend: "Look at SLACK_API_URL and the network.",
  };
}
