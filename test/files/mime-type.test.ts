import { describe, expect, it } from "vitest";
import { extensionOf, mimeTypeOf } from "../../src/files/mime-type.ts";

const PNG = Buffer.from("89504e470d0a1a0a", "hex");
const NOTHING = new Uint8Array();

describe("a file's type", () => {
  it("goes by the name, then by the first bytes, then by what the sender says", () => {
    expect(mimeTypeOf("a.CSV", PNG, "image/png")).toBe("text/csv");
    expect(mimeTypeOf("a.unknown", PNG, "text/plain")).toBe("image/png");
    expect(mimeTypeOf("a.unknown", NOTHING, "Text/Plain; charset=utf-8")).toBe("text/plain");
    expect(mimeTypeOf(undefined, NOTHING)).toBe("application/octet-stream");
  });

  it("knows office files, which all begin like a zip", () => {
    const zip = Buffer.from("504b0304", "hex");
    expect(mimeTypeOf("deck.pptx", zip)).toContain("presentationml");
    expect(mimeTypeOf("archive", zip)).toBe("application/zip");
  });

  it("knows a picture that begins with its size", () => {
    expect(mimeTypeOf("x", Buffer.from("RIFF\u0000\u0000\u0000\u0000WEBPVP8 "))).toBe("image/webp");
  });

  it("never repeats nonsense that could end up in a header", () => {
    expect(mimeTypeOf("x", NOTHING, "text/html\r\nset-cookie: a=b")).toBe("application/octet-stream");
  });

  it("has an extension where it is known", () => {
    expect(extensionOf("application/pdf")).toBe(".pdf");
    expect(extensionOf("application/x-unheard-of")).toBe("");
  });
});
