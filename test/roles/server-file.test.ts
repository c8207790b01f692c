import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { announceServer, findServer } from "../../src/roles/server-file.ts";

const URL = "http://127.0.0.1:4100";
/** Above what Linux gives out. */
const NOBODY = 2 ** 22 + 1;

let home: string;
beforeEach(async () => {
  home = await mkdtemp(path.join(os.tmpdir(), "deckhand-server-file-"));
});
afterEach(() => rm(home, { recursive: true }));

describe("the server of a home", () => {
  it("is found while it is announced", async () => {
    expect(await findServer(home)).toBeNull();
    const withdraw = await announceServer(home, URL);
    expect(await findServer(home)).toEqual({ url: URL, pid: process.pid });
    await withdraw();
    expect(await findServer(home)).toBeNull();
    expect(await readdir(home)).toEqual([]);
  });

  it.each([
    ["a process that is gone", JSON.stringify({ url: URL, pid: NOBODY })],
    ["nobody, being half a file", '{"url":"http'],
    ["nobody, being empty", ""],
    ["nobody, being something else", "[]"],
  ])("is not found where the file names %s, and the next one takes its place", async (_what, text) => {
    await writeFile(path.join(home, "server.json"), text);
    expect(await findServer(home)).toBeNull();
    await announceServer(home, URL);
    expect(await findServer(home)).toEqual({ url: URL, pid: process.pid });
  });
});
