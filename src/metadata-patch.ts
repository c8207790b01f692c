import { invalid } from "./errors.ts";
import { Metadata, type MetadataPatch } from "./schemas/primitives.ts";

/**
 * Pure: what a patch makes of it.
 * @throws AppError `invalid_request` for metadata beyond its limits
 */
export function patchMetadata(before: Metadata, patch: MetadataPatch | null | undefined): Metadata {
  const merged = Object.entries({ ...before, ...patch }).filter(([, value]) => value !== null);
  const parsed = Metadata.safeParse(Object.fromEntries(merged));
  if (parsed.success) return parsed.data;
  const problems = parsed.error.issues.map(({ path, message }) => `${["metadata", ...path].join(".")}: ${message}`);
  throw invalid(problems.join("; "), { details: { error_code: "invalid_metadata" } });
}
