/**
 * Parses a query string as the SDK writes it: arrays come as `key[]=a&key[]=b` and are also taken as a repeated bare
 * `key`; any other bracket belongs to the name, as in `created_at[gte]`.
 */
export function parseQueryString(text: string): Record<string, string | string[]> {
  const query: Record<string, string | string[]> = Object.create(null);
  for (const [given, value] of new URLSearchParams(text)) {
    const isList = given.endsWith("[]");
    const key = isList ? given.slice(0, -2) : given;
    const earlier = query[key];
    if (earlier !== undefined) query[key] = [earlier, value].flat();
    else query[key] = isList ? [value] : value;
  }
  return query;
}
