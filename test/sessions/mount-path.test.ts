import { describe, expect, it } from "vitest";
import { assertMountable, resolveMountPath } from "../../src/sessions/mount-path.ts";

const resolve = (given: string | null) => resolveMountPath(given, "file_1", "mount_path");

describe("a mount path", () => {
  it.each([
    [null, "/mnt/session/uploads/file_1"],
    ["data.csv", "/mnt/session/uploads/data.csv"],
    ["/data.csv", "/mnt/session/uploads/data.csv"],
    ["//in//data.csv", "/mnt/session/uploads/in/data.csv"],
    ["/uploads/receipt.pdf", "/mnt/session/uploads/receipt.pdf"],
    ["/mnt/session/uploads/a/b.csv", "/mnt/session/uploads/a/b.csv"],
    ["/etc/passwd", "/mnt/session/uploads/etc/passwd"],
    ["..data", "/mnt/session/uploads/..data"],
  ])("%j becomes %s", (given, resolved) => {
    expect(resolve(given)).toBe(resolved);
  });

  it.each(["..", "/../x", "a/../../b", "./a", "a/.", "/", "folder/", "/uploads/", "/uploads/../x", "a\u0000b", "a\nb"])(
    "%j is refused",
    (given) => {
      expect(() => resolve(given)).toThrow(/^mount_path: /);
    },
  );

  it("must be free, and neither below a file nor above one", () => {
    const taken = ["/u/a", "/u/b/c"];
    for (const path of ["/u/a", "/u/a/x", "/u/b"]) expect(() => assertMountable(path, taken, "f")).toThrow(/^f: /);
    for (const path of ["/u/ab", "/u/b/d", "/u/c"]) expect(() => assertMountable(path, taken, "f")).not.toThrow();
  });
});
