import { Readable } from "node:stream";
import { text } from "node:stream/consumers";
import { extract } from "tar-stream";
import { describe, expect, it } from "vitest";
import { uploadArchive, uploadPath } from "../../src/sandbox/upload-archive.ts";

describe("uploadPath", () => {
  it.each([
    ["data.csv", "data.csv"],
    ["/mnt/session/uploads/a b/ü.csv", "a b/ü.csv"],
    ["./x//y", "x/y"],
    ["..data", "..data"],
  ])("puts %j at %j", (path, relative) => {
    expect(uploadPath(path)).toBe(relative);
  });

  it.each([
    "",
    ".",
    "..",
    "../x",
    "a/..",
    "a/../b",
    "/etc/passwd",
    "/mnt/session/outputs/x",
    "/mnt/session/uploads",
    "/mnt/session",
    "/",
    "a/",
    "a\nb",
  ])("refuses %j", (path) => {
    expect(() => uploadPath(path)).toThrow("path");
  });
});

describe("uploadArchive", () => {
  it("holds the file and its folders, root's and read-only", async () => {
    const { archive, filled } = uploadArchive("a/b/file", Readable.from(["con", "tent"]), 7);
    const entries: unknown[] = [];
    for await (const entry of archive.pipe(extract())) {
      const { name, type, mode, uid, gid } = entry.header;
      entries.push([name, type, mode?.toString(8), uid, gid, await text(entry)]);
    }
    await filled;
    expect(entries).toEqual([
      ["a/", "directory", "555", 0, 0, ""],
      ["a/b/", "directory", "555", 0, 0, ""],
      ["a/b/file", "file", "444", 0, 0, "content"],
    ]);
  });

  it.each([6, 8])("breaks off when 7 bytes were said to be %d", async (size) => {
    const { archive, filled } = uploadArchive("f", Readable.from(["content"]), size);
    const read = archive.toArray();
    const [outcome] = await Promise.allSettled([filled, read]);
    expect(outcome.status).toBe("rejected");
  });

  it("breaks off when its content fails", async () => {
    const failing = new Readable({ read: () => failing.destroy(new Error("disk gone")) });
    const { archive, filled } = uploadArchive("f", failing, 7);
    const outcomes = await Promise.allSettled([filled, archive.toArray()]);
    expect(outcomes.map(({ status }) => status)).toEqual(["rejected", "rejected"]);
    await expect(filled).rejects.toThrow("disk gone");
  });
});
