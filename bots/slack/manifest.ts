import { HAND_OVER_SHORTCUT } from "./hand-over-modal.ts";
import { BOT_EVENTS, BOT_SCOPES, EVENTS_PATH, OAUTH_REDIRECT_PATH, SLASH_COMMAND } from "./requirements.ts";
import { SUGGESTED_PROMPTS } from "./suggested-prompts.ts";

export interface ManifestOptions {
  /** What the app is called in Slack. */
  name: string;
  /** Where Slack posts events, commands and presses; null for Socket Mode, which needs no address. */
  eventsUrl: URL | null;
  /** Where people install the app by OAuth; null for one workspace by its token. */
  installUrl: URL | null;
}

/** Slack refuses a longer name. */
export const APP_NAME_CHARS_MAX = 35;

/**
 * Pure: what the app has to be in Slack for this version of Deckhand, as Slack's app settings take it. Made from what the
 * listeners need, so that neither is ahead of the other.
 */
export function slackManifest({ name, eventsUrl, installUrl }: ManifestOptions) {
  const requestUrl = eventsUrl && addressOf(eventsUrl, EVENTS_PATH);
  const redirectUrl = installUrl ?? eventsUrl;
  return {
    display_information: { name, description: DESCRIPTION },
    features: {
      agent_view: { agent_description: AGENT_DESCRIPTION, suggested_prompts: SUGGESTED_PROMPTS },
      app_home: { home_tab_enabled: true, messages_tab_enabled: true, messages_tab_read_only_enabled: false },
      bot_user: { display_name: botUserName(name), always_online: true },
      shortcuts: [SHORTCUT],
      slash_commands: [{ ...COMMAND, ...(requestUrl && { url: requestUrl }) }],
    },
    oauth_config: {
      ...(redirectUrl && { redirect_urls: [addressOf(redirectUrl, OAUTH_REDIRECT_PATH)] }),
      scopes: { bot: BOT_SCOPES.map(({ scope }) => scope) },
    },
    settings: {
      event_subscriptions: {
        ...(requestUrl && { request_url: requestUrl }),
        bot_events: BOT_EVENTS.map(({ event }) => event),
      },
      interactivity: { is_enabled: true, ...(requestUrl && { request_url: requestUrl }) },
      org_deploy_enabled: true,
      socket_mode_enabled: requestUrl === null,
      // A token that was copied into the environment would be replaced behind its back.
      token_rotation_enabled: installUrl !== null,
    },
  };
}

const DESCRIPTION = "Give it a task in a thread; the workbook, the deck or the document comes back in the same thread.";
const AGENT_DESCRIPTION =
  "Works on tasks in a sandbox of its own: reads the files you attach, computes, and brings back workbooks, decks and " +
  "documents. Mention it in a thread or write it a message, steer it by replying, and stop it at any time.";

const SHORTCUT = {
  name: "Hand to Deckhand",
  type: "message",
  callback_id: HAND_OVER_SHORTCUT,
  description: "Give this message and its thread to the agent",
};

const COMMAND = {
  command: SLASH_COMMAND,
  description: "See, stop and steer what the agent does for you",
  usage_hint: "status | stop | steer <text> | new | use <agent> | agents | usage | help",
  // Names of people and channels stay as they were written, which is what goes on to the agent.
  should_escape: false,
};

const BOT_USER_CHARS_MAX = 80;

/** Slack takes small letters, digits and `-_.` only. */
function botUserName(name: string): string {
  const plain = name
    .toLowerCase()
    .replaceAll(/[^a-z0-9._-]+/g, "-")
    .replaceAll(/^-+|-+$/g, "")
    .slice(0, BOT_USER_CHARS_MAX);
  return plain === "" ? "deckhand" : plain;
}

/** Our paths stand at the root of the server, whatever the given address ends with. */
function addressOf(base: URL, path: string): string {
  return new URL(path, base).href;
}
