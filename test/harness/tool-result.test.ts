import { describe, expect, it } from "vitest";
import { oversizedText, RESULT_CHARS_MAX, spilledPreview, toToolResult } from "../../src/harness/tool-result.ts";

const result = (...texts: string[]) =>
  toToolResult({ content: texts.map((text) => ({ type: "text", text })), isError: false });

describe("a tool result", () => {
  it("is too long from the first character beyond the limit, counted over all its text", () => {
    expect(oversizedText(result("x".repeat(RESULT_CHARS_MAX)))).toBeNull();
    expect(oversizedText(result("x".repeat(RESULT_CHARS_MAX + 1)))).not.toBeNull();
    expect(oversizedText(result("x".repeat(60_000), "y".repeat(60_000)))).toHaveLength(120_001);
  });

  it("that is too long shows its beginning, its end, its size and where all of it is", () => {
    const text = `BEGIN${"x".repeat(150_000)}END`;
    const shown = spilledPreview(text, "/workspace/out.txt");
    expect(shown).toContain(`${text.length} characters`);
    expect(shown).toContain("/workspace/out.txt");
    expect(shown).toContain("BEGIN");
    expect(shown.endsWith("END")).toBe(true);
    expect(shown.length).toBeLessThan(RESULT_CHARS_MAX);
  });

  it("carries pictures and documents as base64", () => {
    const content = [{ type: "image" as const, media_type: "image/png", data: "QQ==" }];
    expect(toToolResult({ content, isError: true })).toEqual({
      content: [{ type: "image", source: { type: "base64", media_type: "image/png", data: "QQ==" } }],
      is_error: true,
    });
  });
});
