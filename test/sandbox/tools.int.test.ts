import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Sandbox, SandboxOp } from "../../src/sandbox/sandbox.ts";
import { bash, createTestSandboxes, run, textOf } from "../support/sandboxes.ts";

const sandboxes = createTestSandboxes();
let sandbox: Sandbox;
beforeAll(async () => {
  sandbox = await sandboxes.open();
});
afterAll(() => sandboxes.removeAll());

const said = async (op: SandboxOp) => {
  const result = await run(sandbox, op);
  return { isError: result.isError, text: textOf(result) };
};
const read = (file_path: string, view_range?: [number, number]) =>
  said({ op: "read", file_path, ...(view_range ? { view_range } : {}) });
const put = (path: string, text: string) => run(sandbox, { op: "write", file_path: path, content: text });
const python = (script: string) => bash(sandbox, `cd /workspace && python3 - <<'END'\n${script}\nEND`);

describe("read", () => {
  it("gives text as it is, lines in a range, and the rest to an end of 0 or less", async () => {
    await put("lines", "one\r\ntwo\nthree");
    expect(await read("lines")).toEqual({ isError: false, text: "one\r\ntwo\nthree" });
    expect(await read("/workspace/lines", [2, 2])).toEqual({ isError: false, text: "two\n" });
    expect(await read("lines", [2, 0])).toEqual({ isError: false, text: "two\nthree" });
    expect(await read("lines", [3, 99])).toEqual({ isError: false, text: "three" });
  });

  it.each([
    [[4, 5], "has 3 lines"],
    [[0, 2], "first line is 1"],
    [[3, 2], "before its start"],
  ] as const)("says what is wrong with the range %j", async (range, reason) => {
    await put("lines", "one\ntwo\nthree");
    expect(await read("lines", [...range])).toEqual({ isError: true, text: expect.stringContaining(reason) });
  });

  it("advises view_range beyond 256 KiB, and reads a part of any file", async () => {
    await bash(sandbox, "seq 1 1000000 >many; head -c 300000 /dev/zero | tr '\\0' x >/workspace/wide");
    expect(await read("many")).toEqual({ isError: true, text: expect.stringContaining("view_range") });
    expect(await read("many", [999999, 0])).toEqual({ isError: false, text: "999999\n1000000\n" });
    expect(await read("wide", [1, 1])).toEqual({ isError: true, text: expect.stringContaining("view_range") });
  });

  it.each([
    ["missing", "no such file"],
    ["/workspace", "a folder"],
    ["fifo", "a named pipe"],
    ["/dev/zero", "a device"],
    ["/proc/self/environ", "made up by the kernel"],
    ["looks-harmless", "made up by the kernel"],
    ["/etc/shadow", "permission denied"],
    ["/run/deckhand/journal", "belongs to the tool runner"],
    ["sneaky", "belongs to the tool runner"],
    ["binary", "binary file"],
  ])("refuses %s: it is %s", async (path, reason) => {
    await bash(
      sandbox,
      "cd /workspace; mkfifo -m 600 fifo; ln -sf /proc/self/environ looks-harmless; ln -sf /run/deckhand/journal sneaky; printf 'PK\\0\\1' >binary",
    );
    expect(await read(path)).toEqual({ isError: true, text: expect.stringContaining(reason) });
  });

  it("replaces what is not UTF-8, understands UTF-16, and has a word for empty files", async () => {
    await bash(sandbox, "cd /workspace; printf 'caf\\xe9' >latin; printf '\\xff\\xfea\\0\\xfc\\0' >wide16; : >empty");
    expect((await read("latin")).text).toBe("caf\ufffd");
    expect((await read("wide16")).text).toBe("aü");
    expect((await read("empty")).text).toBe("(empty file)");
  });

  it("shows images, large ones made smaller", async () => {
    await python(`from PIL import Image
Image.new("RGB", (30, 20), "red").save("small.png")
Image.effect_noise((3000, 1000), 90).convert("RGB").save("large.png")
Image.new("RGBA", (10, 10)).save("lies.txt", "WEBP")
open("broken.png", "wb").write(b"\\x89PNG\\r\\n\\x1a\\n" + b"x" * 100)`);
    const small = await run(sandbox, { op: "read", file_path: "small.png" });
    expect(small.content).toEqual([{ type: "image", media_type: "image/png", data: expect.any(String) }]);
    const large = await run(sandbox, { op: "read", file_path: "large.png" });
    const [image] = large.content;
    if (image?.type !== "image") throw new Error("no image");
    expect(image.data.length).toBeLessThanOrEqual(5_000_000);
    expect((await run(sandbox, { op: "read", file_path: "lies.txt" })).content[0]).toMatchObject({
      media_type: "image/webp",
    });
    expect(await read("broken.png")).toEqual({ isError: true, text: expect.stringContaining("cannot be shown") });
  });

  it("shows a PDF with its pages, or its text", async () => {
    await python(`from reportlab.pdfgen import canvas
page = canvas.Canvas("hello.pdf"); page.drawString(100, 700, "Hello page"); page.save()
open("huge.pdf", "wb").write(open("hello.pdf", "rb").read() + b"\\n%" + b"x" * 11_000_000)`);
    const { content } = await run(sandbox, { op: "read", file_path: "hello.pdf" });
    expect(content).toEqual([{ type: "document", media_type: "application/pdf", data: expect.any(String) }]);
    expect((await read("hello.pdf", [1, 0])).text).toContain("Hello page");
    expect((await read("huge.pdf")).text).toMatch(/too large to show as pages\][^]*Hello page/);
  });

  it("gives a notebook as its cells", async () => {
    const cells = [
      { cell_type: "markdown", source: ["# Title"] },
      { cell_type: "code", source: "1 + 1", outputs: [{ output_type: "execute_result", data: { "text/plain": "2" } }] },
    ];
    await put("book.ipynb", JSON.stringify({ cells }));
    expect((await read("book.ipynb")).text).toMatch(
      /cell 1 \(markdown\)[^]*# Title[^]*cell 2 \(code\)[^]*1 \+ 1[^]*output[^]*2/,
    );
    await put("odd.ipynb", "[1]");
    expect((await read("odd.ipynb")).text).toBe("[1]");
  });
});

describe("write", () => {
  it("makes folders, counts bytes, keeps the mode and leaves no other file behind", async () => {
    expect(await said({ op: "write", file_path: "new/deep/file.sh", content: "naïve" })).toEqual({
      isError: false,
      text: "wrote 6 bytes to new/deep/file.sh",
    });
    await bash(sandbox, "chmod 755 /workspace/new/deep/file.sh");
    await put("new/deep/file.sh", "two");
    expect(await bash(sandbox, "cd /workspace/new/deep; ls -A; stat -c %a file.sh; cat file.sh")).toBe(
      "file.sh\n755\ntwo",
    );
  });

  it("writes through a symlink instead of replacing it", async () => {
    await bash(sandbox, "cd /workspace; echo old >target; ln -sf target link");
    await put("link", "new");
    expect(await bash(sandbox, "cd /workspace; cat target; test -L link && echo link")).toBe("newlink\n");
  });

  it.each([
    ["/workspace", "a folder"],
    ["/etc/hosts", "permission denied"],
    ["/etc/deckhand", "permission denied"],
    ["/mnt/session/uploads/x", "permission denied"],
    ["/run/deckhand/journal", "belongs to the tool runner"],
    ["pipe", "a named pipe"],
    ["file/below", "not a directory"],
    ["x".repeat(300), "too long"],
  ])("refuses %s: %s", async (file_path, reason) => {
    await bash(sandbox, "cd /workspace; mkfifo -m 600 pipe; touch file");
    expect(await said({ op: "write", file_path, content: "x" })).toEqual({
      isError: true,
      text: expect.stringContaining(reason),
    });
  });
});

describe("edit", () => {
  const edit = (old_string: string, new_string: string, replace_all = false) =>
    said({ op: "edit", file_path: "text", old_string, new_string, replace_all });

  it("replaces what occurs once, or everything when asked", async () => {
    await put("text", "a b a c");
    expect(await edit("b", "$& \\1")).toEqual({ isError: false, text: "edited text (1 replacement(s))" });
    expect(await edit("a", "", true)).toEqual({ isError: false, text: "edited text (2 replacement(s))" });
    expect((await read("text")).text).toBe(" $& \\1  c");
  });

  it.each([
    ["x", "y", "not found"],
    ["a", "y", "found 2 times"],
    ["a", "a", "same"],
  ])("changes nothing for %s to %s: %s", async (old, replacement, reason) => {
    await put("text", "a b a");
    expect(await edit(old, replacement)).toEqual({ isError: true, text: expect.stringContaining(reason) });
    expect((await read("text")).text).toBe("a b a");
  });

  it("refuses a file that is not text, rather than damage it", async () => {
    await bash(sandbox, "printf 'a\\xe9' >/workspace/text");
    expect(await edit("a", "b")).toEqual({ isError: true, text: expect.stringContaining("not UTF-8") });
  });
});

describe("glob", () => {
  const glob = async (pattern: string, path?: string) =>
    (await said({ op: "glob", pattern, ...(path ? { path } : {}) })).text.split("\n");

  it("finds by pattern, newest first, without .git and node_modules", async () => {
    await bash(
      sandbox,
      `mkdir -p /tmp/g/sub/deep /tmp/g/.git /tmp/g/node_modules/x; cd /tmp/g
touch -d '1 hour ago' old.csv; touch -d '2 hours ago' sub/older.csv; touch new.txt sub/deep/x1.csv .git/a.csv node_modules/x/a.csv 'odd [1].csv'; touch -d '3 hours ago' 'odd [1].csv'`,
    );
    expect(await glob("**/*.csv", "/tmp/g")).toEqual([
      "/tmp/g/sub/deep/x1.csv",
      "/tmp/g/old.csv",
      "/tmp/g/sub/older.csv",
      "/tmp/g/odd [1].csv",
    ]);
    expect(await glob("*.csv", "/tmp/g")).toEqual(["/tmp/g/old.csv", "/tmp/g/odd [1].csv"]);
    expect(await glob("*.{txt,md}", "/tmp/g")).toEqual(["/tmp/g/new.txt"]);
    expect(await glob("/tmp/g/sub/**/x?.csv")).toEqual(["/tmp/g/sub/deep/x1.csv"]);
    expect(await glob("/tmp/g/odd \\[[0-9]\\].csv")).toEqual(["/tmp/g/odd [1].csv"]);
    expect(await glob("sub/older.csv", "/tmp/g")).toEqual(["/tmp/g/sub/older.csv"]);
    expect(await glob("*.nothing", "/tmp/g")).toEqual(["no matches"]);
  });

  it("stops at 200 and says how many are left out", async () => {
    await bash(sandbox, "mkdir -p /tmp/many; cd /tmp/many; touch $(seq 1 250)");
    const lines = await glob("*", "/tmp/many");
    expect(lines).toHaveLength(201);
    expect(lines[200]).toBe("[50 older matches left out]");
  });

  it("says that a folder is missing", async () => {
    expect(await said({ op: "glob", pattern: "*", path: "nowhere" })).toEqual({
      isError: true,
      text: "nowhere: no such folder",
    });
  });
});

describe("grep", () => {
  it("finds lines with their numbers", async () => {
    await bash(sandbox, "mkdir -p /tmp/s; cd /tmp/s; printf 'one\\ntwo\\n' >a; printf -- '-two\\n' >b");
    expect(await said({ op: "grep", pattern: "two$", path: "/tmp/s" })).toEqual({
      isError: false,
      text: "/tmp/s/a:2:two\n/tmp/s/b:1:-two\n",
    });
    expect((await said({ op: "grep", pattern: "-two", path: "/tmp/s/b" })).text).toBe("1:-two\n");
    expect((await said({ op: "grep", pattern: "three", path: "/tmp/s" })).text).toBe("no matches");
  });

  it.each([
    [{ pattern: "(", path: "/tmp" }, "regex parse error"],
    [{ pattern: "x", path: "nowhere" }, "no such file or folder"],
    [{ pattern: "x", path: "/workspace/fifo" }, "no such file or folder"],
  ])("answers %j with an error", async (input, reason) => {
    expect(await said({ op: "grep", ...input })).toEqual({ isError: true, text: expect.stringContaining(reason) });
  });

  it("cuts long results at a line, and says so", async () => {
    await bash(sandbox, "seq 1 100000 >/tmp/s/long");
    const { text } = await said({ op: "grep", pattern: ".", path: "/tmp/s/long" });
    expect(Buffer.byteLength(text)).toBeLessThan(100 * 1024 + 100);
    expect(text).toMatch(/\n(\d+):\1\n\[output truncated/);
  });
});
