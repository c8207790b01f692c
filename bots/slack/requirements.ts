export interface SlackScope {
  scope: string;
  /** Completes "Deckhand needs it to …". */
  why: string;
}

/** What the bot token may do. The manifest asks for these, `slack check` compares them, `docs/slack.md` lists them. */
export const BOT_SCOPES: readonly SlackScope[] = [
  { scope: "app_mentions:read", why: "hear when somebody mentions it" },
  { scope: "assistant:write", why: "be an agent app: its working sign, titles and suggested prompts" },
  { scope: "channels:history", why: "read the thread it is asked in, and replies there, in public channels" },
  { scope: "chat:write", why: "answer, and keep its status up to date" },
  { scope: "commands", why: "offer /deckhand and the message shortcut" },
  { scope: "files:read", why: "read the files people attach" },
  { scope: "files:write", why: "post the files it made" },
  { scope: "groups:history", why: "read the thread it is asked in, and replies there, in private channels" },
  { scope: "im:history", why: "read direct messages to it" },
  { scope: "mpim:history", why: "read the thread it is asked in, and replies there, in group messages" },
  { scope: "reactions:read", why: "stop when somebody reacts with 🛑" },
  { scope: "reactions:write", why: "show by a reaction that it took a message in" },
  { scope: "usergroups:read", why: "allow work to the members of a user group" },
  { scope: "users:read", why: "call people by their names, and tell guests from members" },
  { scope: "users:read.email", why: "write down who asked, for the audit" },
];

export interface SlackEventSubscription {
  event: string;
  /** Completes "Deckhand listens to it to …". */
  why: string;
}

/** The bot events that the app is subscribed to. */
export const BOT_EVENTS: readonly SlackEventSubscription[] = [
  { event: "app_mention", why: "begin work where it is mentioned" },
  { event: "message.im", why: "begin work on a direct message" },
  { event: "message.channels", why: "take up replies in its threads in public channels" },
  { event: "message.groups", why: "take up replies in its threads in private channels" },
  { event: "message.mpim", why: "take up replies in its threads in group messages" },
  { event: "reaction_added", why: "stop on 🛑" },
  { event: "agent_session_stopped", why: "stop on Slack's own stop button" },
  { event: "app_home_opened", why: "show its Home tab and suggest what to ask" },
  { event: "app_uninstalled", why: "forget the installation" },
  { event: "tokens_revoked", why: "forget the installation" },
];

/** The only slash command. */
export const SLASH_COMMAND = "/deckhand";

/** Of an app-level token, for Socket Mode alone. */
export const APP_TOKEN_SCOPE = "connections:write";

/** Where Slack sends events, commands and interactions in HTTP mode. */
export const EVENTS_PATH = "/slack/events";
export const INSTALL_PATH = "/slack/install";
export const OAUTH_REDIRECT_PATH = "/slack/oauth_redirect";
