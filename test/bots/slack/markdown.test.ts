import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { alignedTable, inlineText, splitTables, type MarkdownTable } from "../../../bots/shared/markdown-tables.ts";
import { toMrkdwn } from "../../../bots/slack/markdown.ts";

const tableOf = (markdown: string): MarkdownTable => {
  const [table] = splitTables(markdown);
  if (table?.type !== "table") throw new Error("no table");
  return table;
};

describe("tables in Markdown", () => {
  it("are found with their alignment, short rows filled up and escaped bars kept", () => {
    expect(splitTables("intro\n\n| a | b | c |\n|:--|:-:|--:|\n| 1 | x\\|y |\n\noutro")).toEqual([
      { type: "prose", markdown: "intro" },
      {
        type: "table",
        source: "| a | b | c |\n|:--|:-:|--:|\n| 1 | x\\|y |",
        align: ["left", "center", "right"],
        rows: [
          ["a", "b", "c"],
          ["1", "x|y", ""],
        ],
      },
      { type: "prose", markdown: "outro" },
    ]);
  });

  it.each(["a | b", "---", "a | b\n---", "```\n|a|b|\n|-|-|\n```", "~~~sql\na | b\n--|--\n~~~"])(
    "%j has none",
    (markdown) => {
      expect(splitTables(markdown).every(({ type }) => type === "prose")).toBe(true);
    },
  );

  it("line up by the width of what is in them", () => {
    const table = tableOf("| name | n |\n|---|--:|\n| 日本 | 1 |\n| **b** | 22 |");
    expect(alignedTable(table, 1_000)).toBe("name    n\n────  ───\n日本    1\nb      22");
    expect(alignedTable(table, 20)).toBeNull();
  });

  it("lose no word of what is around them", () => {
    const line = fc.constantFrom("text", "| a | b |", "|---|---|", "```", "", "- x | y", "# h");
    fc.assert(
      fc.property(fc.array(line, { maxLength: 30 }), (lines) => {
        const words = (text: string) => text.split(/\s+/).filter(Boolean);
        const parts = splitTables(lines.join("\n")).map((part) =>
          part.type === "table" ? part.source : part.markdown,
        );
        expect(words(parts.join("\n"))).toEqual(words(lines.join("\n")));
      }),
    );
  });
});

describe("Markdown in Slack's markup", () => {
  it.each([
    ["# Sales **now**", "*Sales now*"],
    ["**bold** and *italic* and ~~gone~~", "*bold* and _italic_ and ~gone~"],
    ["[plan](https://a.test/x?a=1&b=2)", "<https://a.test/x?a=1&amp;b=2|plan>"],
    ["- one\n  * two", "• one\n  • two"],
    ["> said", "> said"],
    ["a < b & `x < y`", "a &lt; b &amp; `x &lt; y`"],
    ["```js\na && **b**\n```", "```\na &amp;&amp; **b**\n```"],
    ["[x](javascript:alert(1))", "[x](javascript:alert(1))"],
    ["<!channel> <@U1>", "&lt;!channel&gt; &lt;@U1&gt;"],
  ])("%j becomes %j", (markdown, mrkdwn) => {
    expect(toMrkdwn(markdown)).toBe(mrkdwn);
  });

  it("never has markup of Slack's that was not made here", () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom("<", ">", "!", "@", "#", "a", "|", "*", "`", "\n") }), (text) => {
        expect(toMrkdwn(text)).not.toMatch(/<[!@#]/);
      }),
    );
  });

  it("inline marks go, addresses stay", () => {
    expect(inlineText("**a** `b` [c](https://d.test) *e* ~~f~~ g\\*")).toBe("a b c (https://d.test) e f g*");
    expect(inlineText("2 * 3 * 4 snake_case_name")).toBe("2 * 3 * 4 snake_case_name");
  });
});
