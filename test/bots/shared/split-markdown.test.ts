import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { splitMarkdown } from "../../../bots/shared/split-markdown.ts";

const line = fc.oneof(
  fc.lorem({ maxCount: 12 }),
  fc.constantFrom("", "", "```", "```python", "~~~", "- item", "# Heading", "| a | b |"),
  fc.string({ unit: "grapheme", maxLength: 90 }).map((text) => text.replaceAll(/[`~\r\n]/g, " ")),
);
const markdown = fc.array(line, { maxLength: 60 }).map((lines) => lines.join("\n"));
/** All that is neither space nor a mark of a code block. */
const substance = (text: string) => text.replaceAll(/^ {0,3}(?:```|~~~).*$/gm, "").replaceAll(/\s/g, "");

describe("a long message", () => {
  it("is cut into parts that fit, and loses nothing", () => {
    fc.assert(
      fc.property(markdown, fc.integer({ min: 64, max: 400 }), (text, charsMax) => {
        const parts = splitMarkdown(text, charsMax);
        for (const part of parts) expect(part.length).toBeLessThanOrEqual(charsMax);
        expect(substance(parts.join("\n"))).toBe(substance(text));
      }),
      { numRuns: 500 },
    );
  });

  it("stays one when it fits, and is none when it is empty", () => {
    expect(splitMarkdown("Short.", 64)).toEqual(["Short."]);
    expect(splitMarkdown(" \n ", 64)).toEqual([]);
  });

  it("is cut between paragraphs", () => {
    const [first, second] = ["a ".repeat(25).trim(), "b ".repeat(25).trim()];
    expect(splitMarkdown(`${first}\n\n${second}`, 80)).toEqual([first, second]);
  });

  it("closes a code block that is cut, and opens it again in the same language", () => {
    const code = Array.from({ length: 12 }, (_, index) => `row_${index} = compute(${index})`).join("\n");
    const parts = splitMarkdown(`\`\`\`python\n${code}\n\`\`\``, 120);
    expect(parts.length).toBeGreaterThan(1);
    for (const part of parts) {
      expect(part.startsWith("```python\n")).toBe(true);
      expect(part.endsWith("\n```")).toBe(true);
    }
  });

  it("does not tear a character in two", () => {
    for (const part of splitMarkdown("🛑".repeat(100), 65)) expect(part.isWellFormed()).toBe(true);
  });
});
