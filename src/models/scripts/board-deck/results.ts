import { z } from "zod";

/** What the programs print on their RESULT line. */
export const ProfileResult = z.object({
  rows: z.number(),
  encoding: z.string(),
  delimiter: z.string(),
  columns: z.array(z.object({ name: z.string(), type: z.string() })),
  roles: z.object({
    times: z.array(z.string()),
    measures: z.array(z.string()),
    dimensions: z.array(z.string()),
  }),
  /** The values of the leading dimensions. */
  values: z.record(z.string(), z.array(z.string())),
});
export type ProfileResult = z.infer<typeof ProfileResult>;

export const CleanResult = z.object({
  rows_read: z.number(),
  rows_kept: z.number(),
  issues: z.array(z.object({ column: z.string(), what: z.string(), count: z.number(), done: z.string() })),
});
export type CleanResult = z.infer<typeof CleanResult>;

export const AnalysisResult = z.object({
  measure: z.string(),
  total: z.string(),
  records: z.number(),
  span: z.string().nullable(),
  held: z.object({ rows: z.number(), text: z.string(), why: z.string() }),
  findings: z.array(z.object({ id: z.string(), headline: z.string(), text: z.string() })),
});
export type AnalysisResult = z.infer<typeof AnalysisResult>;

export const CheckResult = z.object({
  sheets: z.number().optional(),
  formulas: z.number().optional(),
  slides: z.number().optional(),
  deck_charts: z.number().optional(),
  problems: z.array(z.string()),
});
export type CheckResult = z.infer<typeof CheckResult>;

/** The RESULT line of a program's output, the last one if there are several; null when it is missing or malformed. */
export function parseResult<T>(schema: z.ZodType<T>, output: string): T | null {
  const line = output.split("\n").findLast((line) => line.startsWith("RESULT "));
  if (line === undefined) return null;
  try {
    return schema.safeParse(JSON.parse(line.slice("RESULT ".length))).data ?? null;
  } catch (error) {
    if (error instanceof SyntaxError) return null;
    throw error;
  }
}

/** What a program said is wrong with the data, for the user to read; null when it did not. */
export function parseProblem(output: string): string | null {
  return /^PROBLEM: (.+)$/m.exec(output)?.[1] ?? null;
}
