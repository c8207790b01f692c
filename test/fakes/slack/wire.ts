import { z } from "zod";

/** Arguments come as JSON, or as a form in which everything is text and what is structured is JSON in text. */
export const flag = z.union([
  z.boolean(),
  z.enum(["true", "false", "1", "0"]).transform((value) => value === "true" || value === "1"),
]);

export const integer = z.union([z.number().int(), z.string().regex(/^\d+$/).transform(Number)]);

export function json<Schema extends z.ZodType>(schema: Schema) {
  return z.preprocess(readJson, schema);
}

export const ts = z.string().regex(/^\d{10,}\.\d{6}$/, "a message timestamp such as 1790000000.000100");

function readJson(value: unknown): unknown {
  if (typeof value !== "string") return value;
  try {
    return JSON.parse(value);
  } catch (error) {
    if (error instanceof SyntaxError) return value;
    throw error;
  }
}
