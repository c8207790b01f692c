import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { escapeMrkdwn, mentionedUsers, messageText, plainText } from "../../../bots/slack/mrkdwn.ts";

const names = { botUserId: "U0BOT", users: new Map([["U01ALICE", "Alice"]]) };

describe("what people write in Slack", () => {
  it.each([
    ["<@U0BOT> make a report", "make a report"],
    ["hey <@U0BOT>, make a report", "hey, make a report"],
    ["please <@U0BOT|ops> make a report", "please make a report"],
    ["make a report <@U0BOT>", "make a report"],
    ["first\n<@U0BOT> second", "first\nsecond"],
    ["ask <@U01ALICE> or <@U02BOB|bob> or <@U03>", "ask @Alice or @bob or @U03"],
    ["see <#C1|general> and <#C2>", "see #general and #C2"],
    ["<!here> <!channel|channel> <!subteam^S1|@ops> <!subteam^S2>", "@here @channel @ops @S2"],
    ["until <!date^1700000000^{date}|14 November>", "until 14 November"],
    ["<https://a.test/?x=1&amp;y=2>", "https://a.test/?x=1&y=2"],
    ["<https://a.test|the plan>", "the plan (https://a.test)"],
    ["<mailto:a@b.test|a@b.test>", "a@b.test"],
    ["if a &lt; b &amp;&amp; c &gt; d", "if a < b && c > d"],
    ["&amp;lt;", "&lt;"],
    ["*bold* and `code`", "*bold* and `code`"],
  ])("%j is read as %j", (mrkdwn, plain) => {
    expect(plainText(mrkdwn, names)).toBe(plain);
  });

  it("text that was escaped comes back as it was", () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        expect(plainText(escapeMrkdwn(text), names)).toBe(text.trim());
      }),
    );
  });

  it("a forwarded message brings its words along, a link's preview does not", () => {
    const message = {
      text: "<@U0BOT> what about this? <https://a.test>",
      attachments: [
        { is_share: true, author_name: "Bob", text: "The disk is full &amp; hot", fallback: "[Bob] …" },
        { from_url: "https://a.test", title: "A", text: "Preview" },
      ],
    };
    expect(messageText(message, names)).toBe(
      "what about this? https://a.test\n\n[Forwarded message from Bob]\nThe disk is full & hot",
    );
  });

  it("an alert of another app that has words only in attachments or blocks is read", () => {
    const attached = { text: "", attachments: [{ title: "CPU high", fields: [{ title: "host", value: "web-1" }] }] };
    expect(messageText(attached, names)).toBe("CPU high\nhost: web-1");
    const blocks = {
      text: "",
      blocks: [
        { type: "header", text: { type: "plain_text", text: "Deploy <1>" } },
        {
          type: "rich_text",
          elements: [
            {
              type: "rich_text_section",
              elements: [
                { type: "text", text: "by " },
                { type: "user", user_id: "U01ALICE" },
              ],
            },
          ],
        },
        { type: "actions", elements: [{ type: "button", text: { type: "plain_text", text: "Go" } }] },
      ],
    };
    expect(messageText(blocks, names)).toBe("Deploy <1>\nby @Alice");
    expect(mentionedUsers(blocks)).toEqual(["U01ALICE"]);
  });

  it("what is no message says nothing", () => {
    expect(messageText(null, names)).toBe("");
    expect(messageText({ text: 7 }, names)).toBe("");
    expect(mentionedUsers(undefined)).toEqual([]);
  });
});
