import { readdirSync } from "node:fs";
import path from "node:path";
import { CloudAdapter, ConfigurationBotFrameworkAuthentication } from "botbuilder";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { teamsFixture } from "../../support/teams-fixtures.ts";
import { type FakeTeams, startFakeTeams } from "../teams-connector.ts";

const FOLDER = path.resolve(import.meta.dirname, "../../fixtures/teams");
const NAMES = readdirSync(FOLDER)
  .filter((name) => name.endsWith(".json"))
  .map((name) => path.basename(name, ".json"));

let fake: FakeTeams;
beforeEach(async () => {
  fake = await startFakeTeams();
});
afterEach(() => fake.close());

describe("the real botbuilder takes each fixture for an activity", () => {
  it.each(NAMES)("%s", async (name) => {
    const adapter = new CloudAdapter(new ConfigurationBotFrameworkAuthentication({}));
    const heard: unknown[] = [];
    const response = { socket: null, status: ignore, header: ignore, send: ignore, end: ignore };
    const request = { method: "POST", headers: {}, body: teamsFixture(name) };
    await adapter.process(request, response, async ({ activity }) => void heard.push(activity.id));
    expect(heard).toEqual([teamsFixture(name)["id"]]);
  });
});

it("no two activities have one id", () => {
  const ids = NAMES.map((name) => teamsFixture(name)["id"]);
  expect(new Set(ids).size).toBe(ids.length);
});

describe("the fake's activities have the fixtures' fields", () => {
  const card = () =>
    fake.world.activities.push({
      ...Object(fake.world.activities[0]),
      id: "1",
      from: null,
      wire: { attachments: [CONSENT, { content: { actions: [EXECUTE] } }], channelData: { feedbackLoop: {} } },
    });
  const file = { name: "a.xlsx", bytes: Buffer.from("a") };
  const inline = { ...file, inline: true };
  const personal = { kind: "personal", user: "alice", text: "a" } as const;

  it.each<[string, () => Record<string, unknown> | undefined]>([
    ["message-personal", () => fake.say(personal).sent?.delivery.activity],
    ["message-personal-file", () => fake.say({ ...personal, files: [file] }).sent?.delivery.activity],
    ["message-personal-inline-image", () => fake.say({ ...personal, files: [inline] }).sent?.delivery.activity],
    ["message-group-mention", () => fake.say({ kind: "groupChat", user: "alice", text: "a" }).sent?.delivery.activity],
    ["message-channel-mention", () => fake.say({ kind: "channel", user: "alice", text: "a" }).sent?.delivery.activity],
    [
      "message-slash-command",
      () => fake.say({ ...personal, kind: "groupChat", mention: false, targeted: true }).sent?.delivery.activity,
    ],
    ["invoke-card-execute", () => fake.press({ activityId: "1", user: "alice", action: "go" }).delivery.activity],
    [
      "message-card-submit",
      () => fake.press({ activityId: "1", user: "alice", action: "go", asSubmit: true }).delivery.activity,
    ],
    ["invoke-file-consent-accept", () => fake.consent("1", "alice", "accept").delivery.activity],
    ["invoke-file-consent-decline", () => fake.consent("1", "alice", "decline").delivery.activity],
    ["invoke-feedback-like", () => fake.feedback("1", "alice", "like").delivery.activity],
    ["installation-team", () => fake.install("eng", "alice")[0]?.delivery.activity],
    ["message-reaction-added", () => fake.react("1", "alice", "like").delivery.activity],
  ])("%s", (name, make) => {
    fake.say({ ...personal, kind: name.includes("execute") || name.includes("submit") ? "channel" : "personal" });
    card();
    const made = make();
    const expected = teamsFixture(name);
    expect(Object.keys(made ?? {}).toSorted()).toEqual(expect.arrayContaining(REQUIRED));
    expect(fieldsOf(made).filter((field) => !MAY_MISS.has(field))).toEqual(
      fieldsOf(expected).filter((field) => !MAY_MISS.has(field)),
    );
  });
});

const REQUIRED = ["channelId", "conversation", "from", "id", "recipient", "serviceUrl", "timestamp", "type"];
/** Sent by some clients and in some events only. */
const MAY_MISS = new Set(["attachments", "entities", "textFormat"]);
const CONSENT = {
  contentType: "application/vnd.microsoft.teams.card.file.consent",
  name: "a.xlsx",
  content: { sizeInBytes: 1, acceptContext: {}, declineContext: {} },
};
const EXECUTE = { type: "Action.Execute", verb: "go", title: "Go", fallback: { type: "Action.Submit", data: {} } };

/** Of the activity, and of what is in its value. */
function fieldsOf(activity: Record<string, unknown> | undefined): string[] {
  const value = Object(activity?.["value"]);
  const upload = Object.keys(Object(value.uploadInfo)).map((key) => `uploadInfo.${key}`);
  const inside = activity?.["type"] === "invoke" ? [...Object.keys(value).map((key) => `value.${key}`), ...upload] : [];
  return [...Object.keys(activity ?? {}), ...inside].toSorted();
}

function ignore(): void {}
