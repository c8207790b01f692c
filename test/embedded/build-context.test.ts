import { chmod, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { extract } from "tar-stream";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { readBuildContext } from "../../src/embedded/build-context.ts";

let dir: string;
beforeEach(async () => {
  dir = await mkdtemp(path.join(os.tmpdir(), "deckhand-context-"));
  await mkdir(path.join(dir, "runner"));
  await writeFile(path.join(dir, "Dockerfile"), "FROM scratch\n");
  await writeFile(path.join(dir, "runner", "main.py"), "print(1)\n");
});
afterEach(() => rm(dir, { recursive: true, force: true }));

const hash = async () => (await readBuildContext(dir)).hash;

async function namesInArchive(extra: Record<string, string>): Promise<string[]> {
  const names: string[] = [];
  const entries = (await readBuildContext(dir)).toArchive(extra).pipe(extract());
  for await (const entry of entries) {
    names.push(entry.header.name);
    entry.resume();
  }
  return names;
}

describe("readBuildContext", () => {
  it("has another hash when a file's content, name or executable bit differs, and the same one otherwise", async () => {
    const seen = [await hash(), await hash()];
    expect(seen[1]).toBe(seen[0]);
    await writeFile(path.join(dir, "runner", "main.py"), "print(2)\n");
    seen.push(await hash());
    await chmod(path.join(dir, "runner", "main.py"), 0o755);
    seen.push(await hash());
    await writeFile(path.join(dir, "runner", "other.py"), "");
    seen.push(await hash());
    expect(new Set(seen).size).toBe(4);
  });

  it("leaves out what running the code leaves behind", async () => {
    const before = await hash();
    await mkdir(path.join(dir, "runner", "__pycache__"));
    await writeFile(path.join(dir, "runner", "__pycache__", "main.cpython-311.pyc"), "x");
    await writeFile(path.join(dir, ".DS_Store"), "x");
    expect(await hash()).toBe(before);
    expect(await namesInArchive({})).toEqual(["Dockerfile", "runner/main.py"]);
  });

  it("carries extra files beside the others, and leaves empty ones out", async () => {
    expect(await namesInArchive({ "extra-ca.crt": "PEM" })).toContain("extra-ca.crt");
    expect(await namesInArchive({ "extra-ca.crt": "" })).not.toContain("extra-ca.crt");
  });
});
