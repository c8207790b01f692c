import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  type ChatThread,
  chatThreadKey,
  ChatThreadKeyError,
  parseChatThreadKey,
} from "../../../bots/shared/chat-thread.ts";

const slackId = fc.stringMatching(/^[A-Z0-9]{1,12}$/);
const thread: fc.Arbitrary<ChatThread> = fc.oneof(
  fc.record({
    surface: fc.constant("slack" as const),
    team: slackId,
    channel: slackId,
    threadTs: fc.stringMatching(/^\d{1,12}\.\d{1,8}$/),
  }),
  fc.record({
    surface: fc.constant("teams" as const),
    tenant: fc.uuid(),
    conversation: fc.stringMatching(/^[!-~]{1,60}$/),
  }),
  fc.record({ surface: fc.constant("terminal" as const), id: fc.stringMatching(/^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$/) }),
);

describe("a chat thread key", () => {
  it("gives back the thread it was made from", () => {
    fc.assert(
      fc.property(thread, (one) => {
        expect(parseChatThreadKey(chatThreadKey(one))).toEqual(one);
      }),
    );
  });

  it("is another for another thread", () => {
    fc.assert(
      fc.property(thread, thread, (one, other) => {
        const same = JSON.stringify(one) === JSON.stringify(other);
        expect(chatThreadKey(one) === chatThreadKey(other)).toBe(same);
      }),
    );
  });

  it("holds a Teams conversation with its own colons", () => {
    const conversation = "19:abc@thread.tacv2;messageid=1700000000000";
    const key = chatThreadKey({ surface: "teams", tenant: "t-1", conversation });
    expect(key).toBe(`teams:t-1:${conversation}`);
    expect(parseChatThreadKey(key)).toEqual({ surface: "teams", tenant: "t-1", conversation });
  });

  it.each([
    "",
    "slack",
    "slack:T1",
    "slack:T1:C1",
    "slack::C1:1.0",
    "slack:T1:C1:",
    "slack:T1:C1:1.0:more",
    "teams:t1",
    "teams::a",
    "terminal:",
    "terminal:a:b",
    "terminal:../etc",
    "terminal:-x",
    "discord:1:2:3",
    "SLACK:T1:C1:1.0",
  ])("refuses %j", (key) => {
    expect(() => parseChatThreadKey(key)).toThrow(ChatThreadKeyError);
  });

  it("is not made of an empty thread_ts, which Slack sends for none", () => {
    const thread = { surface: "slack", team: "T1", channel: "C1", threadTs: "" } as const;
    expect(() => chatThreadKey(thread)).toThrow(ChatThreadKeyError);
  });
});
