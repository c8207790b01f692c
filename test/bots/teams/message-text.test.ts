import { describe, expect, it } from "vitest";
import { Activity } from "../../../bots/teams/activity.ts";
import { mentionsAgent, messageText, ownCommand } from "../../../bots/teams/message-text.ts";

const BOT = "28:bot";
const mention = (id: string, name: string) => ({
  type: "mention",
  mentioned: { id, name },
  text: `<at>${name}</at>`,
});
const said = (text: string, more: Record<string, unknown> = {}) =>
  Activity.parse({
    type: "message",
    channelId: "msteams",
    serviceUrl: "https://smba.trafficmanager.net/emea/",
    from: { id: "29:alice" },
    recipient: { id: BOT },
    conversation: { id: "c" },
    text,
    ...more,
  });

describe("the words of a message", () => {
  it.each<[string, string, Record<string, unknown>, string]>([
    [
      "without the mention of the agent",
      "<at>Deckhand</at> make it blue",
      { entities: [mention(BOT, "Deckhand")] },
      "make it blue",
    ],
    [
      "without the blank that follows a mention",
      "<at>Deckhand</at>&nbsp;stop",
      { entities: [mention(BOT, "Deckhand")] },
      "stop",
    ],
    [
      "with the mention anywhere",
      "make it blue <at>Deckhand</at>",
      { entities: [mention(BOT, "Deckhand")] },
      "make it blue",
    ],
    ["with others by name", "ask <at>Ann</at>", { entities: [mention("29:ann", "Ann")] }, "ask @Ann"],
    ["with what was escaped", "a &lt; b &amp;&amp; c&#39;s", {}, "a < b && c's"],
    ["escaped once only", "&amp;lt;", {}, "&lt;"],
    ["with its lines and their indentation", "if x:\r\n    y()", {}, "if x:\n    y()"],
    ["of markup, as text", "<p>one<br>two</p><p>three</p>", { textFormat: "xml" }, "one\ntwo\nthree"],
    ["of tags that a person wrote, as they are", "use <b> for bold", {}, "use <b> for bold"],
    ["of nothing", "", {}, ""],
  ])("are read %s", (_, text, more, words) => {
    expect(messageText(said(text, more))).toBe(words);
  });

  it("call the agent by its id, whatever anybody is named", () => {
    expect(mentionsAgent(said("<at>Deckhand</at>", { entities: [mention(BOT, "Deckhand")] }))).toBe(true);
    expect(mentionsAgent(said("<at>Deckhand</at>", { entities: [mention("29:other", "Deckhand")] }))).toBe(false);
    expect(mentionsAgent(said("<at>Deckhand</at>"))).toBe(false);
  });

  it.each([
    ["/deckhand stop", "/stop"],
    ["/Deckhand  steer use blue", "/steer use blue"],
    ["/deckhand", "/help"],
    ["/deckhand /stop", "/stop"],
    ["/deckhands are great", "/deckhands are great"],
    ["stop", "stop"],
  ])("name a command of the app's own: %j is %j", (words, command) => {
    expect(ownCommand(words)).toBe(command);
  });
});
