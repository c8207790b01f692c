const NAME = /^(?=.{1,253}$)[a-z0-9_-]{1,63}(\.[a-z0-9_-]{1,63})*$/;
/** Already in its one spelling; that its last label begins with a letter tells it from an address. */
const PLAIN_NAME = /^(?=.{1,253}$)([a-z0-9_-]{1,63}\.)*[a-z][a-z0-9_-]{0,62}$/;
const IPV4 = /^\d{1,3}(\.\d{1,3}){3}$/;
const IPV6 = /^[0-9A-Fa-f:.]{2,45}$/;
/** Characters that would change what a URL around the host means, or that a URL parser drops. */
const NOT_IN_A_HOST = /[\u0000-\u0020\u007f/\\?#@%:[\]]/u;
const PORT = /^[1-9]\d{0,4}$/;
const PORT_MAX = 65_535;
/** What a pattern without a port stands for. */
const USUAL_PORTS = [80, 443];

export interface HostAndPort {
  /** As `normaliseHost` gives it. */
  host: string;
  port: number;
}

/**
 * A host in the spelling it is compared and resolved in: lower case, no dot at the end, international names in punycode,
 * every spelling of an IPv4 address (hex, octal, one number) with four decimal numbers, IPv6 shortened and without brackets.
 * Null for what is no host.
 */
export function normaliseHost(text: string): string | null {
  if (PLAIN_NAME.test(text)) return text;
  const bare = text.startsWith("[") && text.endsWith("]") ? text.slice(1, -1) : text;
  if (bare.includes(":")) return normaliseIpv6(bare);
  if (bare !== text || NOT_IN_A_HOST.test(bare)) return null;
  const host = URL.parse(`http://${bare}/`)?.hostname.replace(/\.$/, "") ?? "";
  return NAME.test(host) ? host : null;
}

/** Whether a normalised host is an address and not a name. */
export const isAddress = (host: string) => host.includes(":") || IPV4.test(host);

/**
 * Patterns are `example.com`, `*.example.com` (every name below it, not itself), each also with `:port`. What is no pattern
 * matches nothing.
 * @param host normalised, as in a `Destination`
 * @param port null for whichever the pattern has: to say which of the two is wrong
 */
export function hostPatternMatches(pattern: string, host: string, port: number | null): boolean {
  const wildcard = pattern.startsWith("*.");
  const given = splitPort(wildcard ? pattern.slice(2) : pattern);
  const wanted = given && normaliseHost(given.host);
  if (!given || !wanted || (wildcard && isAddress(wanted))) return false;
  const samePort = port === null || (given.port === null ? USUAL_PORTS.includes(port) : given.port === port);
  return samePort && (wildcard ? host.endsWith(`.${wanted}`) : host === wanted);
}

/** Reads `host:port` of a request line or a `Host` header. Null for what is none. */
export function parseHostAndPort(text: string, defaultPort: number | null): HostAndPort | null {
  const given = splitPort(text);
  const host = given && normaliseHost(given.host);
  const port = given?.port ?? defaultPort;
  return host && port !== null ? { host, port } : null;
}

/** As it stands in a URL or a `Host` header. */
export function formatHostAndPort({ host, port }: HostAndPort, defaultPort: number): string {
  const name = host.includes(":") ? `[${host}]` : host;
  return port === defaultPort ? name : `${name}:${port}`;
}

/** `example.com:8080`, `[::1]:8080`, each also without the port. Null when the port is none. */
function splitPort(text: string): { host: string; port: number | null } | null {
  const colon = text.lastIndexOf(":");
  if (colon === -1 || text.endsWith("]")) return { host: text, port: null };
  const port = text.slice(colon + 1);
  if (!PORT.test(port) || Number(port) > PORT_MAX) return null;
  const host = text.slice(0, colon);
  // Without brackets nobody can tell where an IPv6 address ends and its port begins.
  return host.includes(":") && !host.startsWith("[") ? null : { host, port: Number(port) };
}

function normaliseIpv6(text: string): string | null {
  return IPV6.test(text) ? (URL.parse(`http://[${text}]/`)?.hostname.slice(1, -1) ?? null) : null;
}
