import { describe, expect, it } from "vitest";
import { inboundEvent, type DropReason } from "../../../bots/slack/inbound-event.ts";

const BOT = "U0BOT";

function body(event: Record<string, unknown>, envelope: Record<string, unknown> = {}) {
  return {
    type: "event_callback",
    event_id: "Ev01",
    team_id: "T01",
    authorizations: [{ enterprise_id: null, team_id: "T01", user_id: BOT, is_bot: true, is_enterprise_install: false }],
    event: { type: "message", channel: "C01", channel_type: "channel", user: "U01", ts: "1763700000.000100", ...event },
    ...envelope,
  };
}

const reply = { thread_ts: "1763600000.000001" };
const mention = { text: `<@${BOT}> make a report` };

describe("a message event that counts", () => {
  it("is addressed by a mention, and begins a thread of its own", () => {
    expect(inboundEvent(body({ type: "app_mention", ...mention }), BOT)).toMatchObject({
      type: "keep",
      thread: "slack:T01:C01:1763700000.000100",
      messageId: "1763700000.000100",
      receiptId: "Ev01",
      personId: "U01",
      addressed: true,
      attachments: [],
    });
  });

  it.each([
    ["as message", { ...mention }],
    ["as message, in the older form", { text: `hello <@${BOT}|deckhand>, please` }],
  ])("is the same turn when the mention arrives %s", (_, event) => {
    const asMention = inboundEvent(body({ type: "app_mention", ...mention }), BOT);
    const asMessage = inboundEvent(body(event), BOT);
    expect(asMessage).toMatchObject({ type: "keep", addressed: true });
    if (asMention.type !== "keep" || asMessage.type !== "keep") return;
    expect([asMessage.thread, asMessage.messageId]).toEqual([asMention.thread, asMention.messageId]);
  });

  it("goes to the root of its thread", () => {
    expect(inboundEvent(body({ ...reply, text: "and a chart" }), BOT)).toMatchObject({
      thread: "slack:T01:C01:1763600000.000001",
      addressed: false,
    });
  });

  it("is addressed in a direct message, where each top-level message is a thread", () => {
    const dm = { channel: "D01", channel_type: "im", text: "hi", thread_ts: "" };
    expect(inboundEvent(body(dm), BOT)).toMatchObject({ thread: "slack:T01:D01:1763700000.000100", addressed: true });
  });

  it("may be a mention without words: the thread says what is wanted", () => {
    expect(inboundEvent(body({ type: "app_mention", text: `<@${BOT}>` }), BOT)).toMatchObject({ type: "keep" });
  });

  it.each([["file_share"], ["thread_broadcast"], [undefined], [null]])("may have the subtype %s", (subtype) => {
    expect(inboundEvent(body({ ...reply, subtype, text: "here" }), BOT)).toMatchObject({ type: "keep" });
  });

  it("brings its files, named as well as they can be", () => {
    const files = [
      { id: "F1", name: "q3.csv", title: "Q3", size: 12, mimetype: "text/csv" },
      { id: "F2", name: null, title: "Untitled" },
      { id: "F3", file_access: "check_file_info" },
    ];
    expect(inboundEvent(body({ ...reply, subtype: "file_share", text: "", files }), BOT)).toMatchObject({
      type: "keep",
      attachments: [
        { filename: "q3.csv", ref: "F1", sizeBytes: 12 },
        { filename: "Untitled", ref: "F2", sizeBytes: null },
        { filename: "F3", ref: "F3", sizeBytes: null },
      ],
    });
  });

  it("may be a forwarded message, whose words are in its attachments", () => {
    expect(inboundEvent(body({ ...reply, text: "", attachments: [{ text: "see this" }] }), BOT)).toMatchObject({
      type: "keep",
    });
  });

  it("belongs to the organisation where the app is installed for all of it", () => {
    const authorizations = [{ enterprise_id: "E01", team_id: "T01", user_id: BOT, is_enterprise_install: true }];
    const grid = body({ type: "app_mention", ...mention }, { enterprise_id: "E01", authorizations });
    expect(inboundEvent(grid, BOT)).toMatchObject({ thread: "slack:E01:C01:1763700000.000100" });
  });

  it("belongs to the side with the app in a channel shared with another organisation", () => {
    const shared = body(
      { type: "app_mention", ...mention, user: "W99", team: "T99", user_team: "T99", source_team: "T99" },
      { team_id: "T99", context_team_id: "T01", is_ext_shared_channel: true },
    );
    expect(inboundEvent(shared, BOT)).toMatchObject({ thread: "slack:T01:C01:1763700000.000100", personId: "W99" });
  });
});

describe("an event that becomes nothing", () => {
  it.each<[string, DropReason, Record<string, unknown>]>([
    [
      "an edited mention, which Slack sends again",
      "edited",
      { type: "app_mention", ...mention, edited: { user: "U01", ts: "1763700001.000000" } },
    ],
    ["a change", "edited", { subtype: "message_changed", hidden: true, user: undefined, message: { text: "x" } }],
    ["a deletion", "edited", { subtype: "message_deleted", hidden: true, user: undefined, deleted_ts: "1.2" }],
    ["a message of ours", "from_a_bot", { ...reply, user: BOT, text: "done" }],
    ["a message of ours that names the bot", "from_a_bot", { ...reply, user: BOT, bot_id: "B0", text: "done" }],
    ["another bot's mention", "from_a_bot", { type: "app_mention", ...mention, bot_id: "B9", user: "U9" }],
    [
      "a message of a bot without user",
      "from_a_bot",
      { ...reply, subtype: "bot_message", bot_id: "B9", user: undefined },
    ],
    ["Slackbot", "from_a_bot", { ...reply, user: "USLACKBOT", text: "reminder" }],
    ["somebody who joins", "subtype", { subtype: "channel_join", text: "<@U01> has joined" }],
    ["a top-level message without a mention", "not_addressed", { text: "lunch?" }],
    ["one with an empty thread", "not_addressed", { text: "lunch?", thread_ts: "" }],
    ["a mention of somebody else", "not_addressed", { text: "<@U0BOTTLE> hi" }],
    ["a reply without content", "empty", { ...reply, text: " " }],
    ["nobody's", "malformed", { ...reply, user: undefined, text: "x" }],
  ])("%s", (_, reason, event) => {
    expect(inboundEvent(body(event), BOT)).toEqual({ type: "drop", reason });
  });

  it.each([[null], [{}], [{ event_id: "Ev1", event: { type: "message" } }], [{ ...body({ text: "x" }), event_id: 7 }]])(
    "what is no message: %j",
    (given) => {
      expect(inboundEvent(given, BOT)).toEqual({ type: "drop", reason: "malformed" });
    },
  );
});
