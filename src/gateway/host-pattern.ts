import { normaliseHost, parseHostPattern, splitPort } from "../schemas/host-pattern.ts";

/** What a pattern without a port stands for. */
const USUAL_PORTS = [80, 443];

export interface HostAndPort {
  /** Normalised; an IPv6 address has no brackets. */
  host: string;
  port: number;
}

/**
 * What is no pattern matches nothing.
 * @param host normalised, as in a `Destination`
 * @param port null for whichever the pattern has: to say which of the two is wrong
 */
export function hostPatternMatches(text: string, host: string, port: number | null): boolean {
  const pattern = parseHostPattern(text);
  if (!pattern) return false;
  const samePort =
    pattern.port === null ? port === null || USUAL_PORTS.includes(port) : (port ?? pattern.port) === pattern.port;
  return samePort && (pattern.wildcard ? host.endsWith(`.${pattern.host}`) : host === pattern.host);
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
