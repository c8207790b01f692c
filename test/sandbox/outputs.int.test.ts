import { Readable } from "node:stream";
import { text } from "node:stream/consumers";
import { afterAll, beforeAll, expect, it } from "vitest";
import type { Sandbox } from "../../src/sandbox/sandbox.ts";
import { bash, createTestSandboxes, NEVER } from "../support/sandboxes.ts";

const sandboxes = createTestSandboxes();
let sandbox: Sandbox;
beforeAll(async () => {
  sandbox = await sandboxes.open();
});
afterAll(() => sandboxes.removeAll());

const make = (script: string) => bash(sandbox, `cd /mnt/session/outputs && rm -rf ./* && { ${script}; }`);
const listed = async () => (await sandbox.listOutputs(NEVER)).map(({ path }) => path);
const only = async () => {
  const [file, ...others] = await sandbox.listOutputs(NEVER);
  if (!file || others.length > 0) throw new Error("not one file");
  return file;
};

it("leaves out everything that is not a plain file of its own", async () => {
  await make(`mkdir d; echo ok >d/real; echo x >/workspace/x; ln /workspace/x hard; ln -s /etc/passwd s1
ln -s ../../../etc/hostname s2; ln -s / root; mkfifo p; truncate -s 10G sparse; truncate -s 2M hole
python3 -c 'import socket; socket.socket(socket.AF_UNIX).bind("sock")'`);
  expect(await listed()).toEqual(["d/real"]);
});

it("leaves out names that could mislead, and hidden ones", async () => {
  await make(String.raw`echo 1 >plain; echo 1 >'ünï code.txt'; echo 1 >$'new\nline'; echo 1 >$'tab\t'; echo 1 >$'\xff\xfe'
echo 1 >.hidden; mkdir .cache; echo 1 >.cache/x; echo 1 >$'evil\u202etxt.exe'; echo 1 >'.~lock.book.xlsx#'; echo 1 >'back\slash'`);
  expect(await listed()).toEqual(["back\\slash", "plain", "ünï code.txt"]);
});

it("takes names of 255 bytes", async () => {
  const name = "n".repeat(255);
  await make(`echo 1 >${name}`);
  expect(await listed()).toEqual([name]);
});

it("follows no link that stands in for a folder", async () => {
  await make("ln -s /etc linked; mkdir real; echo 1 >real/passwd");
  expect(await listed()).toEqual(["real/passwd"]);
  const file = await only();
  await bash(sandbox, "cd /mnt/session/outputs; mv real moved; ln -s moved real");
  await expect(text(sandbox.readOutput(file, NEVER))).rejects.toThrow("real/passwd");
});

it.each([
  ["a link to another file", "rm f; ln -s /etc/passwd f"],
  ["a link to the same file", "mv f /workspace/f; ln -s /workspace/f f"],
  ["a fifo", "rm f; mkfifo f"],
  ["a hard link", "ln f /workspace/second"],
  ["a file that has grown", "echo more >>f"],
  ["a file rewritten to the same size", "sleep 0.02; printf fake >f"],
  ["nothing", "rm f"],
  ["a folder", "rm f; mkdir f"],
])("rejects when a listed file has become %s", async (_, change) => {
  await make("printf true >f");
  const file = await only();
  expect(await text(sandbox.readOutput(file, NEVER))).toBe("true");
  await bash(sandbox, `cd /mnt/session/outputs; ${change}`);
  await expect(text(sandbox.readOutput(file, NEVER))).rejects.toThrow("f:");
});

it.each([
  ["has grown", "echo more >>f"],
  ["was cut off", "truncate -s 2M f"],
  [
    "was written to, its time of modification put back",
    't=$(stat -c %y f); printf x | dd of=f conv=notrunc; touch -d "$t" f',
  ],
  ["was replaced by its like", "cp -p f /workspace/g; mv /workspace/g f"],
  ["became a link to its like", "mv f /workspace/f; ln -s /workspace/f f"],
  ["is gone", "rm f"],
])("rejects when a file %s between two parts", async (_, change) => {
  await make("head -c 3M /dev/urandom >f");
  const parts = sandbox.readOutput(await only(), NEVER)[Symbol.asyncIterator]();
  expect((await parts.next()).done).toBe(false);
  await bash(sandbox, `cd /mnt/session/outputs; ${change}`);
  await expect(parts.next()).rejects.toThrow("f:");
});

it("rejects when a file of no bytes has become something else", async () => {
  await make("touch f");
  const file = await only();
  expect(await Readable.from(sandbox.readOutput(file, NEVER)).toArray()).toEqual([]);
  await bash(sandbox, "cd /mnt/session/outputs; rm f; ln -s /dev/null f");
  await expect(text(sandbox.readOutput(file, NEVER))).rejects.toThrow("f:");
});

it.each(["../../../etc/passwd", "/etc/passwd", "a/../../../../etc/passwd", ""])("does not read %j", async (path) => {
  await expect(text(sandbox.readOutput({ path, size: 10, mtimeNs: "1" }, NEVER))).rejects.toThrow();
});

it("returns at most 500 files, however many there are", async () => {
  await make("mkdir many; cd many; seq 1 30000 | xargs touch; cd ..; touch a-first");
  expect(await listed()).toHaveLength(500);
});

it("cannot be moved away by the tools", async () => {
  await bash(sandbox, "cd /mnt/session; mv outputs elsewhere; rm -rf outputs; ln -s /etc outputs");
  expect(await bash(sandbox, "stat -c '%F %U' /mnt/session/outputs")).toBe("directory agent\n");
});
