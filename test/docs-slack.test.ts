import { readFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { COMMAND_NAMES } from "../bots/shared/commands.ts";
import { DEFAULT_POLICY } from "../bots/shared/channel-policy.ts";
import { MARKDOWN_CHARS_MAX } from "../bots/slack/blocks/answer-blocks.ts";
import { BLOCKS_CHARS_MAX, BLOCKS_MAX } from "../bots/slack/blocks/rendering.ts";
import {
  APP_TOKEN_SCOPE,
  BOT_EVENTS,
  BOT_SCOPES,
  EVENTS_PATH,
  INSTALL_PATH,
  OAUTH_REDIRECT_PATH,
  SLASH_COMMAND,
} from "../bots/slack/requirements.ts";
import { command as channels } from "../src/cli/commands/channels.ts";
import { command as slack } from "../src/cli/commands/slack.ts";
import { rowsOf } from "./support/page-table.ts";

const ROOT = path.resolve(import.meta.dirname, "..");
const PAGE = readFileSync(path.join(ROOT, "docs/slack.md"), "utf8");

describe("docs/slack.md", () => {
  it("lists every scope and event with what it is for, and no other", () => {
    expect(rowsOf(PAGE, "## Scopes")).toEqual(BOT_SCOPES.map(({ scope, why }) => [`\`${scope}\``, why]));
    expect(rowsOf(PAGE, "## Events")).toEqual(BOT_EVENTS.map(({ event, why }) => [`\`${event}\``, why]));
    expect(PAGE).toContain(`\`${APP_TOKEN_SCOPE}\``);
  });

  it("lists every command, and no other", () => {
    const named = rowsOf(PAGE, "### Commands").map(([name = ""]) => /^`([a-z]+)/.exec(name)?.[1] ?? name);
    expect(named.toSorted()).toEqual(COMMAND_NAMES.toSorted());
    expect(PAGE).toContain(`\`${SLASH_COMMAND} …\``);
  });

  it("lists every setting with its default, and no other", () => {
    const config = readFileSync(path.join(ROOT, "src/config.ts"), "utf8");
    const found = config.matchAll(/^ +(SLACK_[A-Z_]+): (?:withDefault\(.*, "(.*)"\)|optional\()/gm);
    const settings = [...found].map(([, name, value]) => [`\`${name}\``, value === undefined ? null : `\`${value}\``]);
    const listed = rowsOf(PAGE, "## Settings").map(([name, value = ""]) => [
      name,
      value.startsWith("`") ? value : null,
    ]);
    expect(listed).toEqual(settings);
    expect(settings.length).toBeGreaterThan(5);
  });

  it("lists every option of a channel, and the defaults that are numbers", () => {
    const options = [...channels.usage.matchAll(/^ {2}--([a-z-]+)/gm)].map(([, name]) => name);
    const rows = rowsOf(PAGE, "## What an operator decides");
    expect(rows.map(([name = ""]) => /^`--([a-z-]+)/.exec(name)?.[1])).toEqual(options);
    expect(options).toHaveLength(Object.keys(DEFAULT_POLICY).length);
    expect(rows.find(([name]) => name?.includes("--approval-minutes"))?.[1]).toBe(
      `\`${DEFAULT_POLICY.approvalMinutes}\``,
    );
  });

  it("names the addresses that Slack comes to, and only options that the command has", () => {
    for (const address of [EVENTS_PATH, INSTALL_PATH, OAUTH_REDIRECT_PATH]) expect(PAGE).toContain(address);
    const manifest = [...PAGE.matchAll(/deckhand slack manifest ([^`\n]*)/g)].flatMap(([, args = ""]) =>
      [...args.matchAll(/--[a-z]+/g)].map(([option]) => option),
    );
    expect(manifest.filter((option) => !slack.usage.includes(option))).toEqual([]);
    expect(manifest).toContain("--oauth");
  });

  it("states the limits of a message as they are", () => {
    const limits = rowsOf(PAGE, "## Limits").flat().join("\n");
    for (const limit of [MARKDOWN_CHARS_MAX, BLOCKS_CHARS_MAX, BLOCKS_MAX])
      expect(limits).toContain(limit.toLocaleString("en"));
  });
});
