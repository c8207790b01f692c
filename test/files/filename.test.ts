import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { safeFilename } from "../../src/files/filename.ts";

describe("a safe filename", () => {
  it.each([
    ["report.xlsx", "report.xlsx"],
    ["/etc/passwd", "passwd"],
    ["..\\..\\boot.ini", "boot.ini"],
    ['a"b<c>.txt', "abc.txt"],
    ["evil\u202Egpj.exe", "evilgpj.exe"],
    ["two\r\nlines.txt", "twolines.txt"],
    ["  spaced.txt ", "spaced.txt"],
    ["日本語.csv", "日本語.csv"],
    [".env", ".env"],
  ])("of %j is %j", (given, safe) => {
    expect(safeFilename(given, "text/plain")).toBe(safe);
  });

  it.each([undefined, "", "..", ".", "folder/", "\u0000"])("of %j is a name that says what it is", (given) => {
    expect(safeFilename(given, "text/csv")).toBe("unnamed.csv");
    expect(safeFilename(given, "application/octet-stream")).toBe("unnamed");
  });

  it("keeps the extension of a name that is too long, and splits no character", () => {
    const name = safeFilename(`${"é".repeat(400)}.xlsx`, "text/plain");
    expect(name).toMatch(/^é+\.xlsx$/);
    expect(Buffer.byteLength(name)).toBeLessThanOrEqual(255);
  });

  it("is one path component that a file system takes, whatever was given", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary", maxLength: 600 }), (given) => {
        const name = safeFilename(given, "text/csv");
        expect(["", ".", ".."]).not.toContain(name);
        for (const character of ["/", "\\", "\u0000"]) expect(name).not.toContain(character);
        expect(Buffer.byteLength(name)).toBeLessThanOrEqual(255);
      }),
    );
  });
});
