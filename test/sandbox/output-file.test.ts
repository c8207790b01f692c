import { describe, expect, it } from "vitest";
import { OUTPUT_BYTES_MAX, parseOutputListing } from "../../src/sandbox/output-file.ts";

const file = (path: unknown, size: unknown = 1, mtime_ns: unknown = "1763774400000000001") => ({
  path,
  size,
  mtime_ns,
});

describe("parseOutputListing", () => {
  it("takes plain files, in path order, each path once", () => {
    expect(parseOutputListing([file("b/ü.txt", 0), file("a", 7), file("a", 7)])).toEqual([
      { path: "a", size: 7, mtimeNs: "1763774400000000001" },
      { path: "b/ü.txt", size: 0, mtimeNs: "1763774400000000001" },
    ]);
  });

  it.each([
    file("../a"),
    file("/etc/passwd"),
    file("a/../b"),
    file("a//b"),
    file("a/"),
    file(""),
    file("."),
    file(".hidden"),
    file("a/.hidden/b"),
    file("a\nb"),
    file("a\0b"),
    file("a\u202eb"),
    file("a\ufffdb"),
    file("\ud800"),
    file("n".repeat(256)),
    file("ü".repeat(128)),
    file(7),
    file("a", -1),
    file("a", 1.5),
    file("a", OUTPUT_BYTES_MAX + 1),
    file("a", Number.NaN),
    file("a", 1, 5),
    file("a", 1, "-5"),
    file("a", 1, "9".repeat(30)),
    null,
    "a",
  ])("leaves out what a hostile runner may list: %j", (entry) => {
    expect(parseOutputListing([entry, file("fine")]).map(({ path }) => path)).toEqual(["fine"]);
  });

  it("looks at no more than 500", () => {
    expect(parseOutputListing(Array.from({ length: 600 }, (_, index) => file(`f${index}`)))).toHaveLength(500);
  });

  it("rejects what is no list", () => {
    expect(() => parseOutputListing({ length: 3 })).toThrow();
  });
});
