import { readdirSync } from "node:fs";
import path from "node:path";
import { App } from "@slack/bolt";
import { describe, expect, it } from "vitest";
import { SILENT_SLACK_LOG } from "../../support/slack-client.ts";
import { slackFixture } from "../../support/slack-fixtures.ts";

const FOLDER = path.resolve(import.meta.dirname, "../../fixtures/slack");
const NAMES = readdirSync(FOLDER)
  .filter((name) => name.endsWith(".json"))
  .map((name) => path.basename(name, ".json"));
/** Answered before an app's listeners are asked, or of no kind that has listeners. */
const FOR_NO_LISTENER = new Set(["url-verification", "app-rate-limited"]);

describe("the real Bolt has a listener for each fixture", () => {
  it.each(NAMES.filter((name) => !FOR_NO_LISTENER.has(name)))("%s", async (name) => {
    const heard: string[] = [];
    const app = boltThatHears(heard);
    let acked = false;
    await app.processEvent({ body: slackFixture(name), ack: async () => void (acked = true) });
    expect(heard).toHaveLength(1);
    expect(acked).toBe(true);
  });
});

it("no two events have one id", () => {
  const ids = NAMES.flatMap((name) => slackFixture(name)["event_id"] ?? []);
  expect(new Set(ids).size).toBe(ids.length);
});

function boltThatHears(heard: string[]): App {
  const receiver = { init: () => undefined, start: async () => undefined, stop: async () => undefined };
  const authorize = async () => ({ botToken: "xoxb-acme", botId: "B0BOT", botUserId: "U0BOT" });
  const app = new App({ receiver, authorize, logger: SILENT_SLACK_LOG, ignoreSelf: false });
  app.event(/.*/, async () => void heard.push("event"));
  app.command(/.*/, async ({ ack }) => {
    heard.push("command");
    await ack();
  });
  app.action(/.*/, async ({ ack }) => {
    heard.push("action");
    await ack();
  });
  app.view(/.*/, async ({ ack }) => {
    heard.push("view");
    await ack();
  });
  app.shortcut(/.*/, async ({ ack }) => {
    heard.push("shortcut");
    await ack();
  });
  return app;
}
