import { invalid } from "../errors.ts";
import type { Server } from "./server.ts";

/** What may be an escape of NUL or of half a surrogate pair. Bodies that hold neither need no closer look. */
const SUSPICIOUS = /\\u(?:0000|d[89a-f])/i;

/**
 * Parses JSON bodies. An empty one counts as none: clients often say `content-type: application/json` on a POST without
 * a body, such as archive. Text that the database can't hold is refused here, by the name of its field.
 */
export function parseJsonBodies(app: Server): void {
  const parse = app.getDefaultJsonParser("error", "error");
  app.addContentTypeParser<string>("application/json", { parseAs: "string" }, (request, body, done) => {
    if (body === "") return done(null, undefined);
    return parse(request, body, (error, value) => {
      const refusal = error === null && SUSPICIOUS.test(body) ? whyNotStorable(value, "") : null;
      if (refusal) done(invalid(refusal));
      else done(error, value);
    });
  });
}

/** Depth is bounded: `JSON.parse` has been there before. */
function whyNotStorable(value: unknown, path: string): string | null {
  if (typeof value === "string")
    return isStorable(value) ? null : `${path}: must be text without NUL and half characters`;
  if (typeof value !== "object" || value === null) return null;
  for (const [key, inner] of Object.entries(value)) {
    const place = path ? `${path}.${key}` : key;
    const refusal = isStorable(key)
      ? whyNotStorable(inner, place)
      : `${path}: names must not hold NUL or half characters`;
    if (refusal) return refusal;
  }
  return null;
}

const isStorable = (text: string) => text.isWellFormed() && !text.includes("\0");
