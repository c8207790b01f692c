import { readFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { COMMAND_NAMES } from "../bots/shared/commands.ts";
import { ACTIVITY_BYTES_MAX } from "../bots/teams/cards/activity-size.ts";
import { MARKDOWN_CHARS_MAX } from "../bots/teams/cards/answer-activity.ts";
import { TEAMS_CLOUDS } from "../bots/teams/clouds.ts";
import { MESSAGES_PATH } from "../bots/teams/endpoint.ts";
import { MICROSOFT_FILE_HOSTS } from "../bots/teams/file-hosts.ts";
import { teamsManifest } from "../bots/teams/manifest.ts";
import { GRAPH_NEEDS } from "../src/cli/checks/teams.ts";
import { command as channels } from "../src/cli/commands/channels.ts";
import { command as teams } from "../src/cli/commands/teams.ts";
import { DOWNLOAD_PATH } from "../src/files/file-links.ts";
import { FILE_BYTES_MAX } from "../src/files/files.ts";
import { rowsOf } from "./support/page-table.ts";

const ROOT = path.resolve(import.meta.dirname, "..");
const PAGE = readFileSync(path.join(ROOT, "docs/teams.md"), "utf8");
const MANIFEST = teamsManifest({
  botAppId: "11111111-1111-4111-8111-111111111111",
  name: "Deckhand",
  url: new URL("https://deckhand.example.com"),
  readsContext: true,
  version: "1.0.0",
});

describe("docs/teams.md", () => {
  it("lists every setting with its default, and no other", () => {
    const config = readFileSync(path.join(ROOT, "src/config.ts"), "utf8");
    const found = config.matchAll(
      /^ +((?:MICROSOFT|TEAMS|CHANNEL)_[A-Z_]+): (?:withDefault\(.*, "(.*)"\)|optional\()/gm,
    );
    const settings = [...found].map(([, name, value]) => [`\`${name}\``, value === undefined ? null : `\`${value}\``]);
    const listed = rowsOf(PAGE, "## Settings").map(([name, value = ""]) => [
      name,
      value.startsWith("`") ? value : null,
    ]);
    expect(listed).toEqual(settings);
    expect(settings.length).toBeGreaterThan(10);
  });

  it("lists every command, and which of them are in Teams' own list", () => {
    const rows = rowsOf(PAGE, "### Commands").map(([name = "", , fromList = ""]) => ({
      name: /^`([a-z]+)/.exec(name)?.[1] ?? name,
      inList: !fromList.startsWith("not in the list"),
    }));
    expect(rows.map(({ name }) => name).toSorted()).toEqual(COMMAND_NAMES.toSorted());
    const inList = rows.filter((row) => row.inList).map(({ name }) => name);
    for (const bot of MANIFEST.bots) {
      for (const { commands } of bot.commandLists) {
        expect(commands.map(({ title }) => title).toSorted()).toEqual(inList.toSorted());
      }
    }
  });

  it("lists every permission of the package, and no other", () => {
    const asked = MANIFEST.authorization?.permissions.resourceSpecific.map(({ name }) => `\`${name}\``);
    expect(rowsOf(PAGE, "### The package").map(([name]) => name)).toEqual(asked);
    const [bot] = MANIFEST.bots;
    for (const word of [...MANIFEST.permissions, ...(bot?.scopes ?? [])]) expect(PAGE).toContain(`\`${word}\``);
    expect(PAGE).toContain(`needs schema ${MANIFEST.manifestVersion} of the manifest`);
  });

  it("lists what Graph is asked for as the check does, with every permission that is enough", () => {
    const together = (names: readonly string[]) => names.map((name) => `\`${name}\``).join(" and ");
    const needs = GRAPH_NEEDS.map(({ what, any }) => [what, any.map(together).join(", ")]);
    const listed = rowsOf(PAGE, "### Graph").map(([what, permissions = ""]) => [what, permissions.replaceAll("†", "")]);
    expect(listed).toEqual(needs);
  });

  it("lists every cloud and every host of files", () => {
    const clouds = rowsOf(PAGE, "## Clouds").map(([name = ""]) => (name === "none" ? "" : name.replaceAll("`", "")));
    expect(clouds).toEqual(Object.keys(TEAMS_CLOUDS));
    const security = PAGE.slice(PAGE.indexOf("\n## Security\n"), PAGE.indexOf("\n## Limits\n"));
    for (const host of MICROSOFT_FILE_HOSTS) expect(security).toContain(`\`${host}\``);
  });

  it("names the addresses that are to be reached from outside, and only options that the commands have", () => {
    expect(rowsOf(PAGE, "## Set it up").map(([address]) => address)).toEqual([
      `\`${MESSAGES_PATH}\``,
      `\`${DOWNLOAD_PATH}\``,
    ]);
    const section = PAGE.slice(PAGE.indexOf("\n## Set it up\n"), PAGE.indexOf("\n## Try it without Teams\n"));
    const ofPackage = [...section.matchAll(/`(?:[^`\n]*? )?(--[a-z-]+)[ `]/g)].map(([, option = ""]) => option);
    expect(ofPackage.filter((option) => !teams.usage.includes(option) && option !== "--allow-anonymous")).toEqual([]);
    expect(ofPackage).toContain("--context");
    const ofChannels = rowsOf(PAGE, "## What an operator decides").map(
      ([name = ""]) => /^`(--[a-z-]+)/.exec(name)?.[1] ?? name,
    );
    expect(ofChannels.filter((option) => !channels.usage.includes(`  ${option}`))).toEqual([]);
  });

  it("states the limits of a message and of a file as they are", () => {
    const limits = rowsOf(PAGE, "## Limits").flat().join("\n");
    expect(limits).toContain(`${MARKDOWN_CHARS_MAX.toLocaleString("en")} characters`);
    expect(limits).toContain(`${ACTIVITY_BYTES_MAX.toLocaleString("en")} bytes`);
    expect(limits).toContain(`${FILE_BYTES_MAX / 1024 / 1024} MiB`);
  });
});
