import { mkdtemp, readdir, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { announceServer, findServer } from "../../src/roles/server-file.ts";
import { writeOnce } from "../../src/roles/write-once.ts";

describe("files of a home", () => {
  let home: string;
  beforeEach(async () => {
    home = await mkdtemp(path.join(tmpdir(), "deckhand-home-"));
  });
  afterEach(() => rm(home, { recursive: true }));

  it("written once hold one value, whole, for everybody who asks at the same time, and only the owner can read it", async () => {
    const file = path.join(home, "deep", "api-key");
    let made = 0;
    const values = await Promise.all(
      Array.from({ length: 20 }, () => writeOnce(file, () => `key-${(made += 1)}`, 0o600)),
    );
    expect(new Set(values).size).toBe(1);
    expect(values[0]).toMatch(/^key-\d+$/);
    expect(await writeOnce(file, () => "another", 0o600)).toBe(values[0]);
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    expect(await readdir(path.dirname(file))).toEqual(["api-key"]);
  });

  it("tell where the server is until it takes that back", async () => {
    expect(await findServer(home)).toBeNull();
    const takeBack = await announceServer(home, "http://127.0.0.1:4100");
    expect(await findServer(home)).toEqual({ url: "http://127.0.0.1:4100", pid: process.pid });
    await takeBack();
    expect(await findServer(home)).toBeNull();
  });
});
