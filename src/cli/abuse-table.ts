import { z } from "zod";

const Row = z.object({ area: z.string(), attempt: z.string(), expected: z.string(), outcome: z.string() });
const Test = z.object({ status: z.string(), meta: z.looseObject({ attempt: Row.optional() }).optional() });

/** Of vitest's JSON report, what tells the attempts of the abuse suite (`test/security`). */
export const AttemptedTests = z.array(z.object({ assertionResults: z.array(Test) }));

/** All attempts with what was expected and what came of them, under a line that counts them; null when none was made. */
export function abuseTable(files: z.infer<typeof AttemptedTests>): string | null {
  const attempts = files.flatMap(({ assertionResults }) =>
    assertionResults.flatMap(({ status, meta }) =>
      meta?.attempt ? [{ ...meta.attempt, ok: status === "passed" }] : [],
    ),
  );
  if (attempts.length === 0) return null;
  attempts.sort((a, b) => a.area.localeCompare(b.area));
  const unexpected = attempts.filter(({ ok }) => !ok).length;
  const verdict = unexpected === 0 ? "all as expected" : `${unexpected} NOT as expected`;
  const lines = [
    ["", "area", "attempt", "expected", "outcome"],
    ...attempts.map(({ ok, area, attempt, expected, outcome }) => [
      ok ? "ok" : "FAIL",
      area,
      attempt,
      expected,
      outcome,
    ]),
  ];
  return [`Abuse suite: ${attempts.length} attempts, ${verdict}`, "", ...columns(lines)].join("\n");
}

/** Each column but the last as wide as its widest cell. */
function columns(lines: string[][]): string[] {
  const widths = (lines[0] ?? []).map((_, i) => Math.max(...lines.map((cells) => cells[i]?.length ?? 0)));
  return lines.map((cells) =>
    cells
      .map((cell, i) => cell.padEnd(widths[i] ?? 0))
      .join("  ")
      .trimEnd(),
  );
}
