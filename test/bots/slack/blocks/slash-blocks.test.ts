import { describe, expect, it } from "vitest";
import { parsePicked, PICK_ACTION, slashRendering } from "../../../../bots/slack/blocks/slash-blocks.ts";
import type { ThreadLine } from "../../../../bots/shared/thread-line.ts";

const line = (ts: string): ThreadLine => ({
  thread: `slack:T01:C01:${ts}`,
  sessionId: "sesn_1",
  title: "Report",
  state: "working",
  place: "slack:T01:C01",
  requester: "U01",
  activeAt: 0,
  link: null,
});

/** The buttons of a rendering, as Slack sends them when they are pressed. */
const buttons = (blocks: unknown) =>
  [...JSON.stringify(blocks).matchAll(/"action_id":"([^"]+)","text":\{[^}]*\},"value":("(?:[^"\\]|\\.)*")/g)].map(
    ([, actionId, value]) => ({ actionId: actionId ?? "", value: JSON.parse(value ?? '""') as string }),
  );

describe("the reply to a slash command", () => {
  it("brings a picked thread back with what is to be done in it", () => {
    const threads = [line("1763600000.000001"), line("1763600000.000002")];
    const { blocks } = slashRendering({
      type: "pick",
      action: "steer",
      text: 'use "EUR"',
      markdown: "Which?",
      threads,
    });
    const pressed = buttons(blocks);
    expect(pressed.map(({ actionId }) => PICK_ACTION.test(actionId))).toEqual([true, true]);
    expect(new Set(pressed.map(({ actionId }) => actionId)).size).toBe(2);
    expect(pressed.map(({ value }) => parsePicked(value))).toEqual(
      threads.map(({ thread }) => ({ action: "steer", thread, text: 'use "EUR"' })),
    );
  });

  it("keeps a button's value within Slack's limit, whatever is to be said", () => {
    const text = '"\n'.repeat(3_000);
    const { blocks } = slashRendering({
      type: "pick",
      action: "steer",
      text,
      markdown: "Which?",
      threads: [line("1.1")],
    });
    const [pressed] = buttons(blocks);
    expect(pressed?.value.length).toBeLessThanOrEqual(2_000);
    expect(text.startsWith(parsePicked(pressed?.value).text?.slice(0, -1) ?? "-")).toBe(true);
  });

  it("lists threads below the titles of their sections", () => {
    const sections = [
      { title: "Yours", threads: [line("1763600000.000001")] },
      { title: "Here", threads: [] },
    ];
    const { text, blocks } = slashRendering({ type: "list", sections });
    expect(text).toBe("Yours, Here");
    expect(blocks.map(({ type }) => type)).toEqual(["header", "section", "header", "section"]);
  });

  it.each([[null], ["{"], [JSON.stringify({ action: "drop", thread: "slack:T:C:1.1", text: null })]])(
    "takes no other value for a pick: %j",
    (value) => {
      expect(() => parsePicked(value)).toThrow(/./);
    },
  );
});
