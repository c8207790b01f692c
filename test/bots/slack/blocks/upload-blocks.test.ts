import { describe, expect, it } from "vitest";
import type { ChatFile } from "../../../../bots/shared/chat-surface.ts";
import { fileKind } from "../../../../bots/shared/file-kind.ts";
import { blockChars } from "../../../../bots/slack/blocks/rendering.ts";
import { uploadRendering, type UploadedFile } from "../../../../bots/slack/blocks/upload-blocks.ts";

const NOW = 1_700_000_000_000;

function uploaded(filename: string, more: Partial<UploadedFile> = {}): UploadedFile {
  const file: ChatFile = {
    id: filename,
    filename,
    mimeType: "application/octet-stream",
    sizeBytes: 48_100,
    content: async () => new Blob([]).stream(),
    preview: async () => null,
    link: async () => null,
  };
  return { file, refused: null, link: null, ...more };
}

describe("the message with files", () => {
  it("says of one file what it is", () => {
    expect(uploadRendering([uploaded("plan & budget.xlsx")], NOW)).toEqual({
      text: "plan &amp; budget.xlsx",
      blocks: [
        {
          type: "rich_text",
          elements: [
            {
              type: "rich_text_section",
              elements: [
                { type: "text", text: "plan & budget.xlsx", style: { bold: true } },
                { type: "text", text: " · Excel workbook · 48.1 kB" },
              ],
            },
          ],
        },
      ],
    });
  });

  it("lists several, and says why one is a link, and for how long", () => {
    const link = { url: "https://deckhand.test/f", expiresAt: NOW + 36 * 3_600_000 };
    const json = JSON.stringify(
      uploadRendering([uploaded("a.pdf"), uploaded("b.zip", { refused: "it is larger than 1 GB", link })], NOW).blocks,
    );
    expect(json).toContain('"rich_text_list"');
    expect(json).toContain("not posted here: it is larger than 1 GB");
    expect(json).toContain('{"type":"link","url":"https://deckhand.test/f","text":"Download"}');
    expect(json).toContain("the link works for 36 hours");
  });

  it("stays within Slack's limits for any number of files with any names", () => {
    const files = Array.from({ length: 400 }, (_, index) => uploaded(`${"\u0007\uD800ü".repeat(90)}${index}.csv`));
    const { text, blocks } = uploadRendering(files, NOW);
    expect(text.length).toBeLessThanOrEqual(4_000);
    expect(blockChars(blocks)).toBeLessThanOrEqual(12_000);
    expect(JSON.stringify(blocks)).toMatch(/and \d+ more/);
  });

  it.each([
    ["a.XLSX", "", "Excel workbook"],
    ["a.weird", "image/x", "picture"],
    ["a.weird", "", "WEIRD file"],
    ["Makefile", "text/plain", "text"],
    ["noname", "", "file"],
  ])("%s of type %j is a %s", (filename, mimeType, kind) => {
    expect(fileKind(filename, mimeType)).toBe(kind);
  });
});
