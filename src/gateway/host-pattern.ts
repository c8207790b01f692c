import { normaliseHost, parseHostPattern, splitPort } from "../schemas/host-pattern.ts";

/** What a pattern without a port stands for. */
const USUAL_PORTS = [80, 443];

export interface HostAndPort {
  /** Normalised; an IPv6 address has no brackets. */
  host: string;
  port: number;
}

/** @param host normalised, as in a `Destination` */
export function matchesHost(patterns: readonly string[], { host, port }: HostAndPort): boolean {
  return patterns.some((text) => {
    const pattern = parseHostPattern(text);
    if (!pattern || !(pattern.port === null ? USUAL_PORTS.includes(port) : pattern.port === port)) return false;
    return pattern.wildcard ? host.endsWith(`.${pattern.host}`) : host === pattern.host;
  });
}

/** The same, whatever the port: to say which of the two is wrong. */
export function matchesHostOnAnyPort(patterns: readonly string[], host: string): boolean {
  return patterns.some((text) => {
    const port = parseHostPattern(text)?.port;
    return port !== undefined && matchesHost([text], { host, port: port ?? 443 });
  });
}

/** Reads `host:port` of a request line or a `Host` header. Null for what is none. */
export function parseHostAndPort(text: string, defaultPort: number | null): HostAndPort | null {
  const given = splitPort(text);
  const host = given && normaliseHost(given.host);
  const port = given?.port ?? defaultPort;
  return host && port !== null ? { host, port } : null;
}

/** As it stands in a URL or a `Host` header. */
export function formatHost({ host, port }: HostAndPort, defaultPort: number | null): string {
  const name = host.includes(":") ? `[${host}]` : host;
  return port === defaultPort ? name : `${name}:${port}`;
}
