import { z } from "zod";

const withoutNul = (path: string) => !path.includes("\0");

export const FilePath = z
  .string()
  .min(1)
  .refine(withoutNul, "must not contain NUL")
  .describe("Absolute, or relative to /workspace.");

export const SearchPath = z
  .string()
  .min(1)
  .refine(withoutNul, "must not contain NUL")
  .optional()
  .describe("Where to look: absolute, or relative to /workspace. /workspace when left out.");
