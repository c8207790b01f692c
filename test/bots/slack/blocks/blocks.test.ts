import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { ApprovalCard, ChatMessage, StatusCard } from "../../../../bots/shared/chat-surface.ts";
import { MARKDOWN_CHARS_MAX } from "../../../../bots/slack/blocks/answer-blocks.ts";
import { renderingsOf } from "../../../../bots/slack/blocks/message-blocks.ts";
import { blockChars, type Rendering } from "../../../../bots/slack/blocks/rendering.ts";
import { blocksProblem } from "../../../fakes/slack/block-limits.ts";
import { messageBlock } from "../../../fakes/slack/blocks.ts";

const THREAD = "slack:T1:C1:1.5" as const;
const drawing = { thread: THREAD, now: 125_000, plan: true };
const answer = (markdown: string, answerId: string | null = null): ChatMessage => ({
  type: "text",
  markdown,
  answerId,
});
const best = (message: ChatMessage) => renderingsOf(message, drawing)[0];

const status = (fields: Partial<StatusCard> = {}): ChatMessage => ({
  type: "status",
  card: {
    state: "working",
    steps: [
      { label: "I read the file", state: "done", detail: "bash: head", toolCount: 2 },
      { label: "I count <rows>", state: "running", detail: "bash: wc -l < a & b", toolCount: 1 },
    ],
    startedAt: 0,
    endedAt: null,
    tokens: 12_400,
    costCents: 7,
    note: null,
    draft: null,
    ...fields,
  },
});

const approval = (fields: Partial<ApprovalCard> = {}): ChatMessage => ({
  type: "approval",
  card: {
    toolUseId: "sevt_1",
    toolName: "bash",
    summary: "Deletes old reports",
    detail: "rm -rf /tmp/reports",
    approvers: [],
    requester: "U01ALICE",
    state: { type: "open", expiresAt: 1_700_000_000_000 },
    ...fields,
  },
});

/** Slack's limits, said once more so that they can't drift together with the code. */
function expectWithinLimits({ text, blocks }: Rendering): void {
  expect(text.length).toBeGreaterThan(0);
  expect(text.length).toBeLessThanOrEqual(4_000);
  expect(blocks.length).toBeGreaterThan(0);
  expect(blocks.length).toBeLessThanOrEqual(50);
  expect(blockChars(blocks)).toBeLessThanOrEqual(12_000);
  expect(blocks.filter((block) => block.type === "table").length).toBeLessThanOrEqual(1);
  expect(blocksProblem(blocks.map((block) => messageBlock.parse(JSON.parse(JSON.stringify(block)))))).toBeNull();
  for (const block of blocks) {
    if (block.type === "section" && "text" in block && typeof block.text === "object" && block.text) {
      expect(block.text.text.length).toBeLessThanOrEqual(3_000);
      expect(block.text.text.length).toBeGreaterThan(0);
    }
    if (block.type === "markdown" && "text" in block) expect(block.text).not.toBe("");
    if (block.type === "table" && "rows" in block) {
      expect(block.rows.length).toBeLessThanOrEqual(100);
      for (const row of block.rows) expect(row.length).toBeLessThanOrEqual(20);
    }
  }
}

const cell = fc.string({ maxLength: 40 });
const table = fc
  .array(fc.array(cell, { minLength: 1, maxLength: 25 }), { minLength: 1, maxLength: 110 })
  .map(([header = [], ...rows]) =>
    [header, header.map(() => "---"), ...rows].map((row) => `|${row.join("|")}|`).join("\n"),
  );
const piece = fc.oneof(
  fc.string({ unit: "grapheme" }),
  fc.string({ unit: "binary" }),
  fc.constantFrom("```\ncode\n```", "# Heading", "- item", "\n\n", "<!channel>", "&<>".repeat(200), '"\\'.repeat(900)),
  table,
);
const markdowns = fc.array(piece, { maxLength: 12 }).map((pieces) => pieces.join("\n").slice(0, MARKDOWN_CHARS_MAX));

describe("any message stays within Slack's limits", () => {
  it("answers and notices of any Markdown, in every rendering", () => {
    fc.assert(
      fc.property(markdowns, fc.option(fc.constant("sevt_1")), (markdown, answerId) => {
        for (const rendering of renderingsOf(answer(markdown, answerId), drawing)) expectWithinLimits(rendering);
        const notice: ChatMessage = { type: "notice", level: "warning", markdown };
        for (const rendering of renderingsOf(notice, drawing)) expectWithinLimits(rendering);
      }),
    );
  });

  it("statuses of any steps", () => {
    const step = fc.record({
      label: fc.string({ unit: "binary", maxLength: 3_000 }),
      state: fc.constantFrom("running" as const, "done" as const, "stopped" as const),
      detail: fc.option(fc.string({ unit: "binary", maxLength: 3_000 })),
      toolCount: fc.nat(1_000),
    });
    const note = fc.option(fc.string({ unit: "binary", maxLength: 5_000 }));
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), note, fc.boolean(), (steps, note, plan) => {
        for (const rendering of renderingsOf(status({ steps, note }), { ...drawing, plan }))
          expectWithinLimits(rendering);
      }),
    );
  });

  it("approvals of any length, and they say how much is hidden, or hide nothing", () => {
    const detail = fc.oneof(
      fc.string({ unit: "binary", maxLength: 20_000 }),
      fc.integer({ min: 1, max: 40_000 }).map((length) => "x`\n".repeat(length / 3 + 1)),
    );
    fc.assert(
      fc.property(detail, fc.string(), fc.string(), (detail, summary, toolName) => {
        for (const rendering of renderingsOf(approval({ detail, summary, toolName }), drawing)) {
          expectWithinLimits(rendering);
          const json = JSON.stringify(rendering.blocks);
          if (detail.length > 12_000) expect(json).toMatch(/\d+ more characters are not shown here/);
        }
      }),
      { numRuns: 50 },
    );
  });

  it("an answer as long as it may be is shown whole, whatever it is made of", () => {
    for (const char of ["a", '"', "\n#", "&", "<", "ü", "\\"]) {
      const markdown = char.repeat(MARKDOWN_CHARS_MAX / char.length);
      expect(JSON.stringify(best(answer(markdown, "sevt_01")).blocks)).not.toContain("…");
    }
  });
});

describe("answers", () => {
  it("are Markdown as it was written, with buttons to rate them", () => {
    expect(best(answer("# Sales\n\nRevenue **rose** by `7 %`.", "sevt_1"))).toEqual({
      text: "*Sales*\n\nRevenue *rose* by `7 %`.",
      blocks: [
        { type: "markdown", text: "# Sales\n\nRevenue **rose** by `7 %`." },
        {
          type: "context_actions",
          elements: [
            {
              type: "feedback_buttons",
              action_id: "deckhand_rate",
              positive_button: {
                text: { type: "plain_text", text: "Good" },
                accessibility_label: "This answer is good",
                value: "sevt_1:up",
              },
              negative_button: {
                text: { type: "plain_text", text: "Bad" },
                accessibility_label: "This answer is bad",
                value: "sevt_1:down",
              },
            },
          ],
        },
      ],
    });
  });

  it("have one table as a table and the others lined up, since Slack takes only one", () => {
    const { blocks } = best(
      answer(
        "Before\n\n| Name | Sum |\n|---|--:|\n| **a** | 1 |\n| b | |\n\nBetween\n\nx | y\n--|--\nlong one | 2\n\nAfter",
      ),
    );
    expect(blocks).toEqual([
      { type: "markdown", text: "Before" },
      {
        type: "table",
        column_settings: [
          { align: "left", is_wrapped: true },
          { align: "right", is_wrapped: true },
        ],
        rows: [
          [richCell("Name"), richCell("Sum")],
          [richCell("a"), { type: "raw_text", text: "1" }],
          [
            { type: "raw_text", text: "b" },
            { type: "raw_text", text: " " },
          ],
        ],
      },
      {
        type: "markdown",
        text: "Between\n\n```\nx         y\n────────  ───\nlong one  2\n```\n\nAfter",
      },
    ]);
  });

  it("keep a table inside of code as code", () => {
    const markdown = "```\n| a | b |\n|---|---|\n| 1 | 2 |\n```";
    expect(best(answer(markdown)).blocks).toEqual([{ type: "markdown", text: markdown }]);
  });

  it("show a table that Slack does not take as code", () => {
    const rows = Array.from({ length: 120 }, (_, row) => `| ${row} | x |`);
    const { blocks } = best(answer(`| n | v |\n|---|---|\n${rows.join("\n")}`));
    expect(blocks).toHaveLength(1);
    expect(JSON.stringify(blocks)).toContain("119  x");
  });

  it("never call everybody", () => {
    const json = JSON.stringify(best(answer("<!channel> <!here|here> <!subteam^S1|@ops> hi")));
    expect(json).not.toContain("<!");
    expect(json).toContain("@channel @here @ops hi");
  });

  it("are plain text where Slack refuses blocks of that kind", () => {
    const [, plain] = renderingsOf(answer("**Hi** & bye", "sevt_1"), drawing);
    expect(plain).toEqual({
      text: "*Hi* &amp; bye",
      blocks: [{ type: "section", expand: true, text: { type: "plain_text", text: "**Hi** & bye", emoji: false } }],
    });
  });
});

describe("a status", () => {
  it("shows its steps as a plan, or in words where plans are not known", () => {
    const [plan, words] = renderingsOf(status(), drawing);
    expect(plan.blocks.map((block) => block.type)).toEqual(["plan", "context", "actions"]);
    expect(words?.blocks).toEqual([
      {
        type: "section",
        expand: true,
        text: {
          type: "mrkdwn",
          verbatim: true,
          text:
            ":hourglass_flowing_sand: *Working*\n:heavy_check_mark: I read the file\n" +
            ":small_blue_diamond: I count &lt;rows&gt;\n        `bash: wc -l &lt; a &amp; b`",
        },
      },
      { type: "context", elements: [{ type: "mrkdwn", verbatim: true, text: "2:05  ·  12.4k tokens  ·  $0.07" }] },
      {
        type: "actions",
        elements: [
          {
            type: "button",
            action_id: "deckhand_stop",
            style: "danger",
            text: { type: "plain_text", text: "Stop" },
            value: THREAD,
          },
        ],
      },
    ]);
    expect(words?.text).toBe("Working: I count &lt;rows&gt;");
  });

  it("has no button once the turn has ended", () => {
    const ended = best(status({ state: "done", endedAt: 90_000 }));
    expect(JSON.stringify(ended)).not.toContain("deckhand_stop");
    expect(JSON.stringify(ended)).toContain("1:30");
  });
});

describe("an approval", () => {
  it("shows what will run, who decides, until when, and its buttons", () => {
    const json = JSON.stringify(best(approval()));
    expect(json).toContain("rm -rf /tmp/reports");
    expect(json).toContain(
      "<@U01ALICE> can decide, until <!date^1700000000^{date_short_pretty} {time}|2023-11-14 22:13 UTC>",
    );
    expect(json).toContain('"action_id":"deckhand_approve"');
    expect(json).toContain('"action_id":"deckhand_deny"');
    expect(json).not.toContain("not shown");
  });

  it("asks once more where not all of it can be seen", () => {
    const json = JSON.stringify(best(approval({ detail: "x".repeat(30_000) })));
    const hidden = /\*(\d+) more characters are not shown here/.exec(json)?.[1];
    expect(Number(hidden) + (json.match(/x{1000,}/)?.[0].length ?? 0)).toBe(30_000);
    expect(json).toContain('"confirm"');
  });

  it("spells out characters that would make a command look like another", () => {
    const json = JSON.stringify(best(approval({ detail: "echo \u202Etxt.exe\u200B \u0007" })));
    expect(json).toContain("echo ⟨U+202E⟩txt.exe⟨U+200B⟩ ⟨U+0007⟩");
  });

  it.each([
    [{ type: "decided", decision: "allow", by: "U02BOB", at: 1_700_000_000_000, reason: null } as const, "Approved"],
    [
      { type: "decided", decision: "deny", by: "Bob", at: 1_700_000_000_000, reason: "too risky" } as const,
      "too risky",
    ],
    [{ type: "expired", at: 1_700_000_000_000 } as const, "Nobody decided in time"],
    [{ type: "moot" } as const, "No longer needed"],
  ])("has no buttons once it is over: %j", (state, words) => {
    const json = JSON.stringify(best(approval({ state })));
    expect(json).toContain(words);
    expect(json).not.toContain("action_id");
  });

  it("says by whom in their own name, also when that looks like somebody else's id", () => {
    const state = { type: "decided", decision: "allow", by: "U02BOSS", at: 1_700_000_000_000, reason: null } as const;
    expect(JSON.stringify(best(approval({ state })))).toMatch(/By U02BOSS, /);
  });
});

function richCell(text: string) {
  const element = { type: "text", text, style: { bold: true } };
  return { type: "rich_text", elements: [{ type: "rich_text_section", elements: [element] }] };
}
