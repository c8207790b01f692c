import { stripVTControlCharacters } from "node:util";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { StatusCard } from "../../../bots/shared/chat-surface.ts";
import { parseLine } from "../../../bots/terminal/line.ts";
import { endedLine, runningLines } from "../../../bots/terminal/lines.ts";
import { renderMarkdown } from "../../../bots/terminal/markdown.ts";
import { createStyle } from "../../../bots/terminal/style.ts";
import { fitWidth, textWidth, wrapLine } from "../../../bots/terminal/text-width.ts";

const plain = createStyle(false);
const coloured = createStyle(true);

describe("a line typed in the terminal", () => {
  it.each([
    ["", { type: "empty" }],
    ["  ", { type: "empty" }],
    ["/quit", { type: "quit" }],
    ["/exit", { type: "quit" }],
    ["/help", { type: "help" }],
    ["help", { type: "help" }],
    ["/attach data.csv", { type: "attach", path: "data.csv" }],
    ['/attach "my data.csv"', { type: "attach", path: "my data.csv" }],
    ["/attach my\\ data.csv", { type: "attach", path: "my data.csv" }],
    ["/ATTACH x", { type: "attach", path: "x" }],
    ["/attach", { type: "attach", path: "" }],
    ["/stop", { type: "message", text: "/stop" }],
    ["/atach x", { type: "unknown", name: "atach", nearest: "attach" }],
    ["/tmp/data.csv is the file", { type: "message", text: "/tmp/data.csv is the file" }],
    [" Make a deck ", { type: "message", text: "Make a deck" }],
  ])("%j", (line, expected) => {
    expect(parseLine(line)).toEqual(expected);
  });
});

describe("Markdown on a terminal", () => {
  it("wraps words, indents lists, aligns tables and leaves code alone", () => {
    const source = [
      "# Findings",
      "Revenue **rose** by `5 %` and that is a long sentence.",
      "- one item that is too long for the line",
      "| Name | Sum |",
      "|---|---:|",
      "| North | 12 |",
      "```py",
      "print(1)  # a line of code that is longer than the terminal is wide",
      "```",
    ].join("\n");
    expect(renderMarkdown(source, plain, 30)).toEqual([
      "Findings",
      "Revenue rose by 5 % and that",
      "is a long sentence.",
      "• one item that is too long",
      "  for the line",
      "Name   Sum",
      "North  12",
      "  print(1)  # a line of code that is longer than the terminal is wide",
    ]);
  });

  it("lets no control character through", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (text) => {
        const shown = stripVTControlCharacters(renderMarkdown(text, coloured, 40).join("\n"));
        expect(shown).not.toMatch(/[^\P{Cc}\n]/u);
      }),
    );
    expect(renderMarkdown("\u001B[2Jgone\u0007", plain, 40)).toEqual(["[2Jgone"]);
  });
});

describe("a status", () => {
  const card: StatusCard = {
    state: "working",
    steps: [
      { label: "I look at the file", state: "done", detail: "read: data.csv", toolCount: 1 },
      { label: "I clean it", state: "running", detail: "bash: python3 clean.py", toolCount: 2 },
    ],
    startedAt: 0,
    endedAt: null,
    tokens: 18_200,
    costCents: null,
    note: null,
    draft: null,
  };

  it("shows what is done, what is being done, the tool, the time and the tokens", () => {
    expect(runningLines(card, 42_000, { style: plain, cells: 60 })).toEqual([
      "✓ I look at the file",
      "⠋ I clean it  0:42 · 18.2k tokens",
      "  bash: python3 clean.py",
    ]);
  });

  it("is never wider than the terminal, whatever the agent says", () => {
    fc.assert(
      fc.property(
        fc.string({ unit: "grapheme" }),
        fc.string(),
        fc.integer({ min: 40, max: 120 }),
        (label, draft, cells) => {
          const odd = { ...card, steps: [{ label, state: "running" as const, detail: draft, toolCount: 1 }], draft };
          for (const style of [plain, coloured]) {
            for (const line of runningLines(odd, 1000, { style, cells })) {
              expect(textWidth(line)).toBeLessThanOrEqual(cells);
              expect(line).not.toContain("\n");
            }
          }
        },
      ),
    );
  });

  it("is one line when it has ended", () => {
    const done: StatusCard = { ...card, state: "done", endedAt: 65_000 };
    expect(endedLine(done, { style: plain, cells: 60 })).toBe("✓ Done in 1:05 · 2 steps · 18.2k tokens");
  });
});

describe("text width", () => {
  it("counts wide characters twice, combining ones and colours not at all", () => {
    expect(textWidth("日本")).toBe(4);
    expect(textWidth("e\u0301")).toBe(1);
    expect(textWidth(coloured.bold("ab"))).toBe(2);
  });

  it("cuts to fit and ends what colours it cut", () => {
    expect(fitWidth("日本語", 5)).toBe("日本…");
    const cut = fitWidth(coloured.bold("abcdef"), 4);
    expect(stripVTControlCharacters(cut)).toBe("abc…");
    expect(cut.endsWith("\u001B[0m")).toBe(true);
  });

  it("wraps between words and leaves a long one whole", () => {
    expect(wrapLine("a bb ccc-ccc-ccc d", 6, "  ")).toEqual(["a bb", "  ccc-ccc-ccc", "  d"]);
  });
});
