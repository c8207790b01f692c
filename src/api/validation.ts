import type { FastifySchemaCompiler } from "fastify";
import type { z } from "zod";
import { invalid } from "../errors.ts";

type Issue = z.core.$ZodIssue;
type Path = readonly PropertyKey[];

const ISSUES_SHOWN_MAX = 5;

/** Validates body, query and path by zod; a failure is an `AppError` that names each field. */
export const compileValidator: FastifySchemaCompiler<z.ZodType> =
  ({ schema, httpPart = "body" }) =>
  (data) => {
    // Fastify has null for a body that was not sent.
    const parsed = schema.safeParse(data ?? undefined);
    return parsed.success ? { value: parsed.data } : { error: invalid(describeIssues(parsed.error, httpPart)) };
  };

/**
 * One line such as `events.0.content: Field required`, for each of the first few things that are wrong.
 * @param whole what to call the value itself
 */
export function describeIssues(error: z.ZodError, whole: string): string {
  const lines = error.issues.flatMap((issue) => describe(issue, [])).map((text) => text.replace(/^: /, `${whole}: `));
  const shown = lines.slice(0, ISSUES_SHOWN_MAX);
  if (lines.length > shown.length) shown.push(`and ${lines.length - shown.length} more`);
  return shown.join("; ");
}

function describe(issue: Issue, parent: Path): string[] {
  const path = [...parent, ...issue.path];
  switch (issue.code) {
    case "unrecognized_keys":
      return issue.keys.map((key) => line([...path, key], "Extra inputs are not permitted"));
    case "invalid_union":
      return describeUnion(issue, path);
    case "invalid_type":
      // A list whose items can be none; where a field is refused, its schema says why.
      if (issue.expected === "never" && issue.message.startsWith("Invalid input")) {
        return [line(path, "This server does not support it yet; leave the list empty")];
      }
      return [line(path, issue.message.endsWith("received undefined") ? "Field required" : issue.message)];
    default:
      return [line(path, issue.message)];
  }
}

/** Of the alternatives, the one that was meant is the one whose kind of value was given. */
function describeUnion(issue: Extract<Issue, { code: "invalid_union" }>, path: Path): string[] {
  const meant = issue.errors.filter((branch) => !branch.some(isWrongKind));
  const [only] = meant;
  if (only && meant.length === 1) return only.flatMap((inner) => describe(inner, path));
  return [line(path, issue.message)];
}

const isWrongKind = (issue: Issue) => issue.path.length === 0 && issue.code === "invalid_type";

const line = (path: Path, message: string) => `${path.map(String).join(".")}: ${message}`;
