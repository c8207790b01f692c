/** Headers in the order and spelling they came in, as bytes in Latin-1. */
export type HeaderList = readonly (readonly [name: string, value: string])[];

/** About one connection, not about the request or answer that comes over it. */
const HOP_BY_HOP = new Set([
  "connection",
  "keep-alive",
  "proxy-authenticate",
  "proxy-authentication-info",
  "proxy-authorization",
  "proxy-connection",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
]);

/** @param raw names and values in turn, as Node gives them */
export function headerList(raw: readonly string[]): HeaderList {
  return raw.flatMap((name, index) => (index % 2 === 0 ? [[name, raw[index + 1] ?? ""] as const] : []));
}

/** All values of a header, in order. @param name in lower case */
export const headerValues = (headers: HeaderList, name: string): string[] =>
  headers.filter(([given]) => given.toLowerCase() === name).map(([, value]) => value);

/** What goes on to the other side: neither what is about one connection or listed by it, nor `but`, in lower case. */
export function endToEnd(headers: HeaderList, but: readonly string[]): HeaderList {
  const listed = headerValues(headers, "connection").flatMap((value) => value.toLowerCase().split(","));
  const dropped = new Set([...HOP_BY_HOP, ...listed.map((name) => name.trim()), ...but]);
  return headers.filter(([name]) => !dropped.has(name.toLowerCase()));
}
