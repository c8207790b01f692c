/** Escapes in the output of `JSON.stringify` that Postgres refuses in `jsonb`; a doubled backslash is skipped as a whole. */
const ESCAPES = /\\(\\|u0000|ud[89a-f][0-9a-f]{2})/g;

/**
 * JSON for a `jsonb` column. NUL and halves of surrogate pairs, which Postgres refuses, become U+FFFD: a tool's output or a
 * cut in the middle of an emoji must not make an event that can never be written.
 */
export function toJsonb(value: unknown): string {
  const json = JSON.stringify(value);
  if (!json.includes("\\u")) return json;
  return json.replace(ESCAPES, (escape, code) => (code === "\\" ? escape : "\\ufffd"));
}
