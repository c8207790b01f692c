import { describe, expect, it } from "vitest";
import { HAND_OVER_SHORTCUT } from "../../../bots/slack/hand-over-modal.ts";
import { type ManifestOptions, slackManifest } from "../../../bots/slack/manifest.ts";
import { BOT_EVENTS, BOT_SCOPES, SLASH_COMMAND } from "../../../bots/slack/requirements.ts";

const SOCKET: ManifestOptions = { name: "Deckhand", eventsUrl: null, installUrl: null };
const SERVER = new URL("https://deckhand.example.com");

describe("the manifest", () => {
  it("asks for every scope and event that there is a reason for, and for no other", () => {
    const { oauth_config, settings } = slackManifest(SOCKET);
    expect(oauth_config.scopes.bot).toEqual(BOT_SCOPES.map(({ scope }) => scope));
    expect(settings.event_subscriptions.bot_events).toEqual(BOT_EVENTS.map(({ event }) => event));
    for (const list of [oauth_config.scopes.bot, settings.event_subscriptions.bot_events])
      expect(new Set(list).size).toBe(list.length);
  });

  it("names the command and the shortcut that the listeners hear", () => {
    const { slash_commands, shortcuts } = slackManifest(SOCKET).features;
    expect(slash_commands.map(({ command }) => command)).toEqual([SLASH_COMMAND]);
    expect(shortcuts).toMatchObject([{ type: "message", callback_id: HAND_OVER_SHORTCUT }]);
  });

  it("is an agent that people can write to, with a Home tab", () => {
    const { agent_view, app_home } = slackManifest(SOCKET).features;
    expect(agent_view.agent_description).not.toBe("");
    expect(app_home).toEqual({
      home_tab_enabled: true,
      messages_tab_enabled: true,
      messages_tab_read_only_enabled: false,
    });
  });

  it("needs no address in Socket Mode", () => {
    const manifest = slackManifest(SOCKET);
    expect(manifest.settings.socket_mode_enabled).toBe(true);
    expect(JSON.stringify(manifest)).not.toMatch(/https?:|_url/);
  });

  it("has Slack post events, commands and presses to the server in HTTP mode", () => {
    const { features, oauth_config, settings } = slackManifest({ ...SOCKET, eventsUrl: SERVER });
    const url = "https://deckhand.example.com/slack/events";
    expect(settings).toMatchObject({
      socket_mode_enabled: false,
      event_subscriptions: { request_url: url },
      interactivity: { is_enabled: true, request_url: url },
    });
    expect(features.slash_commands).toMatchObject([{ url }]);
    expect(oauth_config.redirect_urls).toEqual(["https://deckhand.example.com/slack/oauth_redirect"]);
  });

  it("rotates tokens only where they are installed by OAuth, which can store new ones", () => {
    const rotates = (more: Partial<ManifestOptions>) =>
      slackManifest({ ...SOCKET, ...more }).settings.token_rotation_enabled;
    expect([rotates({}), rotates({ eventsUrl: SERVER }), rotates({ installUrl: SERVER })]).toEqual([
      false,
      false,
      true,
    ]);
    const installed = slackManifest({ ...SOCKET, installUrl: SERVER });
    expect(installed.oauth_config.redirect_urls).toEqual(["https://deckhand.example.com/slack/oauth_redirect"]);
    expect(installed.settings.socket_mode_enabled).toBe(true);
  });

  it.each([
    ["Deckhand", "deckhand"],
    ["Ops & Finance: Büro", "ops-finance-b-ro"],
    ["日本", "deckhand"],
  ])("calls the bot user of %s %s", (name, expected) => {
    expect(slackManifest({ ...SOCKET, name }).features.bot_user.display_name).toBe(expected);
  });

  it("stays within Slack's limits", () => {
    const { display_information, features, oauth_config, settings } = slackManifest({ ...SOCKET, eventsUrl: SERVER });
    const chars = (max: number, ...texts: string[]) => texts.filter((text) => text === "" || text.length > max);
    expect([
      ...chars(35, display_information.name),
      ...chars(140, display_information.description),
      ...chars(300, features.agent_view.agent_description),
      ...chars(80, features.bot_user.display_name),
      ...features.slash_commands.flatMap(({ command, description, usage_hint }) => [
        ...chars(32, command),
        ...chars(2_000, description),
        ...chars(1_000, usage_hint),
      ]),
      ...features.shortcuts.flatMap(({ name, callback_id, description }) => [
        ...chars(24, name),
        ...chars(255, callback_id),
        ...chars(150, description),
      ]),
    ]).toEqual([]);
    expect(features.agent_view.suggested_prompts.length).toBeLessThanOrEqual(4);
    expect(features.shortcuts.length).toBeLessThanOrEqual(10);
    expect(oauth_config.scopes.bot.length).toBeLessThanOrEqual(255);
    expect(settings.event_subscriptions.bot_events.length).toBeLessThanOrEqual(100);
  });
});
