import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { slackClient, slackErrorOf } from "../../support/slack-client.ts";
import { type FakeSlack, startFakeSlack } from "../slack-web-api.ts";

const plain = (text: string) => ({ type: "plain_text" as const, text });
const button = (more: Record<string, unknown> = {}) => ({
  type: "button",
  text: plain("Go"),
  action_id: "go",
  ...more,
});
const actions = (...elements: unknown[]) => ({ type: "actions", elements });
const section = (text: string) => ({ type: "section", text: { type: "mrkdwn", text } });
const cell = (text: string) => ({ type: "raw_text", text });
const table = (rows: number, columns: number, text = "x") => ({
  type: "table",
  rows: Array.from({ length: rows }, () => Array.from({ length: columns }, () => cell(text))),
});

let fake: FakeSlack;
beforeAll(async () => {
  fake = await startFakeSlack();
});
afterAll(() => fake.close());

describe("what Slack would refuse in blocks and views is refused, and kept as a violation", () => {
  it.each<[string, unknown[], string]>([
    ["51 blocks", Array.from({ length: 51 }, () => ({ type: "divider" })), "invalid_blocks"],
    ["a block of an unknown kind", [{ type: "banner" }], "invalid_blocks"],
    ["a field that a block has not", [{ ...section("a"), color: "red" }], "invalid_blocks"],
    ["a section of nothing", [{ type: "section" }], "invalid_blocks"],
    ["a long section", [section("x".repeat(3_001))], "invalid_blocks"],
    ["a long header", [{ type: "header", text: plain("x".repeat(151)) }], "invalid_blocks"],
    [
      "26 elements in actions",
      [actions(...Array.from({ length: 26 }, (_, at) => button({ action_id: `a${at}` })))],
      "invalid_blocks",
    ],
    ["no elements in actions", [actions()], "invalid_blocks"],
    ["a long text on a button", [actions(button({ text: plain("x".repeat(76)) }))], "invalid_blocks"],
    ["mrkdwn on a button", [actions(button({ text: { type: "mrkdwn", text: "Go" } }))], "invalid_blocks"],
    ["a long value", [actions(button({ value: "x".repeat(2_001) }))], "invalid_blocks"],
    ["a long action_id", [actions(button({ action_id: "x".repeat(256) }))], "invalid_blocks"],
    ["an action_id twice", [actions(button(), button())], "invalid_blocks"],
    [
      "a block_id twice",
      [
        { ...section("a"), block_id: "b" },
        { ...section("b"), block_id: "b" },
      ],
      "invalid_blocks",
    ],
    [
      "six context actions",
      [
        {
          type: "context_actions",
          elements: Array.from({ length: 6 }, (_, at) => ({
            type: "icon_button",
            icon: "trash",
            text: plain("x"),
            action_id: `a${at}`,
          })),
        },
      ],
      "invalid_blocks",
    ],
    [
      "11 elements in a context",
      [{ type: "context", elements: Array.from({ length: 11 }, () => plain("x")) }],
      "invalid_blocks",
    ],
    ["a table of 101 rows", [table(101, 1)], "invalid_blocks"],
    ["a table of 21 columns", [table(1, 21)], "invalid_blocks"],
    ["a table of 10,001 characters", [table(1, 1, "x".repeat(10_001))], "invalid_blocks"],
    ["an empty cell", [{ type: "table", rows: [[cell("")]] }], "invalid_blocks"],
    ["rows of different lengths", [{ type: "table", rows: [[cell("a")], [cell("a"), cell("b")]] }], "invalid_blocks"],
    ["two tables", [table(1, 1), table(1, 1)], "invalid_blocks"],
    [
      "an input outside a view",
      [{ type: "input", label: plain("a"), element: { type: "plain_text_input", action_id: "a" } }],
      "invalid_blocks",
    ],
    [
      "markdown of 12,001 characters in two blocks",
      [
        { type: "markdown", text: "x".repeat(6_000) },
        { type: "markdown", text: "x".repeat(6_001) },
      ],
      "msg_blocks_too_long",
    ],
    ["13,001 characters of blocks", Array.from({ length: 5 }, () => section("x".repeat(2_601))), "msg_blocks_too_long"],
  ])("blocks: %s", async (_, blocks, error) => {
    expect(await refusal("chat.postMessage", { channel: "C01ENG", text: "a", blocks })).toBe(error);
  });

  it.each<[string, Record<string, unknown>]>([
    ["a long title", { type: "modal", title: plain("x".repeat(25)), blocks: [] }],
    ["long private_metadata", { type: "modal", title: plain("a"), blocks: [], private_metadata: "x".repeat(3_001) }],
    [
      "101 blocks",
      { type: "modal", title: plain("a"), blocks: Array.from({ length: 101 }, () => ({ type: "divider" })) },
    ],
    [
      "an input without submit",
      {
        type: "modal",
        title: plain("a"),
        blocks: [{ type: "input", label: plain("a"), element: { type: "plain_text_input", action_id: "a" } }],
      },
    ],
    ["a home as a modal", { type: "home", blocks: [] }],
  ])("views: %s", async (_, view) => {
    expect(await refusal("views.open", { trigger_id: fake.trigger("U01ALICE"), view })).toBe("invalid_arguments");
  });

  it("names the place", async () => {
    await refusal("chat.postMessage", { channel: "C01ENG", text: "a", blocks: [section("x".repeat(3_001))] });
    expect(fake.violations.at(-1)).toContain("[json-pointer:/blocks/0/text/text]");
  });

  it("and what keeps to every limit is taken", async () => {
    const blocks = [
      { type: "header", text: plain("x".repeat(150)) },
      section("x".repeat(3_000)),
      { type: "markdown", text: "x".repeat(5_000) },
      actions(...Array.from({ length: 25 }, (_, at) => button({ action_id: `a${at}`, value: "x".repeat(20) }))),
      table(100, 20),
      ...Array.from({ length: 45 }, () => ({ type: "divider" })),
    ];
    expect(await errorOf("chat.postMessage", { channel: "C01ENG", text: "x".repeat(40_000), blocks })).toBeNull();
  });
});

async function errorOf(method: string, args: Record<string, unknown>, token?: string): Promise<string | null> {
  return slackErrorOf(slackClient(fake, token).apiCall(method, args));
}

/** The error, after a look that the violation was kept. */
async function refusal(method: string, args: Record<string, unknown>): Promise<string | null> {
  const before = fake.violations.length;
  const error = await errorOf(method, args);
  expect(fake.violations).toHaveLength(before + 1);
  return error;
}
