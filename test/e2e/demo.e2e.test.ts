import { spawn } from "node:child_process";
import { readdir, readFile, stat, writeFile } from "node:fs/promises";
import path from "node:path";
import { text } from "node:stream/consumers";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { findInstallation } from "../../bench/installation.ts";
import * as tables from "../fixtures/csv/tables.ts";
import { createTestHome, ROOT, type TestHome } from "./support/test-home.ts";

const Result = z.strictObject({
  session_id: z.string().startsWith("sesn_"),
  model: z.literal("deckhand-scripted"),
  sandbox: z.strictObject({ driver: z.literal("docker"), image: z.string().min(1) }),
  files: z.array(z.strictObject({ name: z.string(), bytes: z.number().int().positive() })),
  events: z.number().int().positive(),
  ms: z.strictObject({
    first_event: z.number().int().nonnegative(),
    first_token: z.number().int().nonnegative(),
    total: z.number().int().positive(),
  }),
});
const FILES = ["deck.pptx", "deck.pptx.png", "report.xlsx", "report.xlsx.png"];
const PNG = "89504e470d0a1a0a";
const ZIP = "504b0304";

let home: TestHome;
beforeAll(async () => {
  home = await createTestHome({ ANTHROPIC_API_KEY: "", ANTHROPIC_BASE_URL: "" });
});
afterAll(() => home.close());

async function demo(...args: string[]) {
  const child = spawn(process.execPath, [path.join(ROOT, "src/cli/main.ts"), "demo", ...args], {
    cwd: home.dir,
    env: { PATH: process.env["PATH"], ...home.settings },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const code = new Promise<number | null>((resolve) => void child.once("close", resolve));
  const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr)]);
  return { code: await code, stdout, stderr };
}

async function put(name: string, content: Buffer | string): Promise<string> {
  const file = path.join(home.dir, name);
  await writeFile(file, content);
  return file;
}

const begin = async (file: string, bytes: number) => (await readFile(file)).subarray(0, bytes).toString("hex");

describe("the demo", () => {
  it.each([
    ["semicolons and decimal commas", "sales", tables.germanSales],
    ["UTF-16 and tabs", "survey", tables.survey],
    ["line breaks in cells", "breaks", tables.quotedBreaks],
  ])("makes a workbook, a deck and their previews of a table with %s", async (_, name, table) => {
    const data = await put(`${name}.csv`, table());
    const { code, stdout, stderr } = await demo("--data", data, "--out", `out-${name}`, "--json");
    expect({ code, told: code === 0 ? "" : stderr }).toEqual({ code: 0, told: "" });
    expect(stdout.split("\n")).toHaveLength(2);
    const result = Result.parse(JSON.parse(stdout));
    expect(stderr).toContain("No ANTHROPIC_API_KEY is set");

    const out = path.join(home.dir, `out-${name}`);
    expect((await readdir(out)).toSorted()).toEqual(FILES);
    for (const { name, bytes } of result.files) expect((await stat(path.join(out, name))).size).toBe(bytes);
    expect(result.files.map((file) => file.name).toSorted()).toEqual(["deck.pptx", "report.xlsx"]);
    expect(await begin(path.join(out, "report.xlsx"), 4)).toBe(ZIP);
    expect(await begin(path.join(out, "deck.pptx"), 4)).toBe(ZIP);
    expect(await begin(path.join(out, "report.xlsx.png"), 8)).toBe(PNG);
    expect(await begin(path.join(out, "deck.pptx.png"), 8)).toBe(PNG);
  });

  it("leaves no container behind", async () => {
    expect(await (await findInstallation(home.home)).containers()).toEqual([]);
  });

  it("joins a server that runs in its home, and leaves it running", async () => {
    const server = await home.up(null, "0");
    const data = await put("tiny.csv", tables.tiny());
    const { code, stderr } = await demo("--data", data, "--out", "out-joined", "--json");
    expect({ code, told: code === 0 ? "" : stderr }).toEqual({ code: 0, told: "" });
    expect((await fetch(`${server.url}/healthz`)).status).toBe(200);
  });

  it("exits 1 and says so when what it was given is no table", async () => {
    const data = await put("words.csv", "just words and nothing under them\n");
    const { code, stdout, stderr } = await demo("--data", data, "--out", "out-words", "--json");
    expect({ code, stdout }).toEqual({ code: 1, stdout: "" });
    expect(stderr).toContain("No report.xlsx came back");
  });

  it.each([
    ["a file that is not there", "nowhere.csv", "there is no such file"],
    ["a folder", ".", "is a folder"],
    ["an empty file", "empty.csv", "is empty"],
  ])("refuses %s before it starts anything", async (_, data, says) => {
    await put("empty.csv", "");
    const { code, stdout, stderr } = await demo("--data", data, "--json");
    expect({ code, stdout }).toEqual({ code: 1, stdout: "" });
    expect(stderr).toContain(says);
  });
});
