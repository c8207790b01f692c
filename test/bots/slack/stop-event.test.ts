import { describe, expect, it } from "vitest";
import { nativeStop, stopReaction } from "../../../bots/slack/stop-event.ts";

const envelope = { event_id: "Ev01", team_id: "T01" };

describe("Slack's own stop button", () => {
  it("stops the thread it is in", () => {
    const event = {
      type: "agent_session_stopped",
      channel: "C01",
      user: "U01",
      thread_ts: "1763600000.000001",
      streaming_message_ts: [],
      event_ts: "1763700000.000100",
    };
    expect(nativeStop({ ...envelope, event })).toEqual({
      thread: "slack:T01:C01:1763600000.000001",
      messageId: "stop:1763700000.000100",
      receiptId: "Ev01",
      personId: "U01",
    });
  });

  it("is nothing else", () => {
    expect(nativeStop({ ...envelope, event: { type: "message", channel: "C01" } })).toBeNull();
  });
});

describe("a reaction", () => {
  const reaction = (over: Record<string, unknown> = {}) => ({
    ...envelope,
    event: {
      type: "reaction_added",
      user: "U01",
      reaction: "octagonal_sign",
      item: { type: "message", channel: "C01", ts: "1763600005.000001" },
      item_user: "U0BOT",
      event_ts: "1763700000.000100",
      ...over,
    },
  });

  it.each([["octagonal_sign"], ["stop_sign"]])("%s stops the thread of the message it is on", (name) => {
    const stop = stopReaction(reaction({ reaction: name }), "U0BOT");
    expect(stop).toMatchObject({ team: "T01", channel: "C01", ts: "1763600005.000001" });
    expect(stop?.inThread("1763600000.000001")).toEqual({
      thread: "slack:T01:C01:1763600000.000001",
      messageId: "stop:1763700000.000100",
      receiptId: "Ev01",
      personId: "U01",
    });
  });

  it.each([
    ["another one", { reaction: "eyes" }],
    ["ours", { user: "U0BOT" }],
    ["one on a file", { item: { type: "file", file: "F1" } }],
  ])("%s stops nothing", (_, over) => {
    expect(stopReaction(reaction(over), "U0BOT")).toBeNull();
  });
});
