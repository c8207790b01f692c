import { readFile } from "node:fs/promises";
import { afterAll, describe, expect, it } from "vitest";
import * as tables from "../fixtures/csv/tables.ts";
import { bash, createTestSandboxes, NEVER } from "../support/sandboxes.ts";
import { checkSpoilt, playOn, verify } from "./play.ts";

const TASK = "Please clean this table and build a workbook and a board deck from it.";
const TIMEOUT_MS = 120_000;

const sandboxes = createTestSandboxes();
afterAll(() => sandboxes.removeAll());

const SHAPES: [shape: string, table: () => Buffer, expected: { records: number; says: string[] }][] = [
  [
    "semicolons, decimal commas, Windows-1252",
    tables.germanSales,
    { records: 900, says: ["Umsatz (€)", "Nord added"] },
  ],
  [
    "UTF-16, tabs, no dates",
    tables.survey,
    { records: 420, says: ["average satisfaction score", "Support the lowest"] },
  ],
  ["three rows", tables.tiny, { records: 3, says: ["Chairs leads with 49.9%"] }],
  [
    "no numbers, values that look like formulas and wildcards",
    tables.noNumbers,
    { records: 240, says: ["Network leads"] },
  ],
  ["one column without a header", tables.singleColumn, { records: 150, says: ["Column 1"] }],
  ["a hundred columns", tables.wide, { records: 120, says: ["sensor"] }],
  ["line breaks and quotes in cells", tables.quotedBreaks, { records: 300, says: ["Amount (net)"] }],
  ["one row", tables.oneRow, { records: 1, says: ["1 records"] }],
];

describe.concurrent("a table of any shape becomes a workbook and a deck that hold", () => {
  it.each(SHAPES)("%s", { timeout: TIMEOUT_MS }, async (_, table, { records, says }) => {
    const sandbox = await sandboxes.open();
    const { answer, checked } = await playOn(sandbox, "table.csv", table(), TASK);
    expect(checked?.problems).toEqual([]);
    expect(checked?.deck_charts).toBeGreaterThanOrEqual(2);
    expect(checked?.formulas).toBeGreaterThan(0);
    for (const words of says) expect(answer).toContain(words);
    expect(await verify(sandbox)).toMatchObject({ records, errors: [], wrong: [], frozen: "B2", table: true });
  });
});

describe("the shipped table", () => {
  it("gives a report whose figures, pages and files all hold", { timeout: TIMEOUT_MS }, async () => {
    const sandbox = await sandboxes.open();
    const shipped = await readFile(new URL("../../demo/equipment-orders.csv", import.meta.url));
    const { answer, checked } = await playOn(sandbox, "equipment-orders.csv", shipped, TASK);
    expect(checked).toMatchObject({ problems: [], slides: 11 });
    const verified = await verify(sandbox);
    expect(verified).toMatchObject({ errors: [], wrong: [] });
    expect(verified.segments).toBeGreaterThan(20);
    expect(verified.charts).toBeGreaterThanOrEqual(5);
    expect(verified.sheets).toEqual(expect.arrayContaining(["Summary", "By month", "Data", "Data quality", "Notes"]));
    // What the generator planted is found, by programs that know nothing of it.
    for (const planted of ["South lost", "Cordless tools added", "driven by Partner"])
      expect(answer).toContain(planted);
    expect((await sandbox.listOutputs(NEVER)).map(({ path }) => path)).toEqual(["deck.pptx", "report.xlsx"]);
    expect(await bash(sandbox, "ls /workspace/report/render | grep -c png")).toMatch(/^\d\d/);
  });

  it("is refused with one clear sentence when it has no rows", { timeout: TIMEOUT_MS }, async () => {
    const { answer } = await playOn(await sandboxes.open(), "table.csv", tables.headerOnly(), TASK);
    expect(answer).toContain("no rows under it");
    expect(answer).not.toContain("Traceback");
  });
});

describe("the check at the end", () => {
  it("finds a formula that computes to something else and a word that overflows", { timeout: TIMEOUT_MS }, async () => {
    const sandbox = await sandboxes.open();
    await playOn(sandbox, "table.csv", tables.tiny(), TASK);
    const problems = (await checkSpoilt(sandbox))?.problems.join("\n");
    expect(problems).toMatch(/Summary!\w+ stores .* but computes to/);
    expect(problems).toMatch(/slide 3: 'overlong' overflows its box/);
  });
});
