import { z } from "zod";

/** What a `HostPattern` says, in the one spelling that hosts are compared in. */
export interface ParsedHostPattern {
  /** As `normaliseHost` gives it, without the `*.`. */
  host: string;
  /** `*.example.com`: every name below `example.com`, which itself is not one of them. */
  wildcard: boolean;
  /** Null for the usual ones. */
  port: number | null;
}

const NAME = /^(?=.{1,253}$)[a-z0-9_-]{1,63}(\.[a-z0-9_-]{1,63})*$/;
/** Already in its one spelling; that its last label begins with a letter tells it from an address. */
const PLAIN_NAME = /^(?=.{1,253}$)([a-z0-9_-]{1,63}\.)*[a-z][a-z0-9_-]{0,62}$/;
const IPV4 = /^\d{1,3}(\.\d{1,3}){3}$/;
const IPV6 = /^[0-9A-Fa-f:.]{2,45}$/;
/** Characters that would change what a URL around the host means, or that a URL parser drops. */
const NOT_IN_A_HOST = /[\u0000-\u0020\u007f/\\?#@%:[\]]/u;
const PORT = /^[1-9]\d{0,4}$/;
const PORT_MAX = 65_535;

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

/** Null for what is no `HostPattern`. */
export function parseHostPattern(text: string): ParsedHostPattern | null {
  const wildcard = text.startsWith("*.");
  const given = splitPort(wildcard ? text.slice(2) : text);
  const host = given && normaliseHost(given.host);
  if (!given || !host || (wildcard && isAddress(host))) return null;
  return { host, wildcard, port: given.port };
}

/** `example.com:8080`, `[::1]:8080`, each also without the port. Null when the port is none. */
export function splitPort(text: string): { host: string; port: number | null } | null {
  const colon = text.lastIndexOf(":");
  if (colon === -1 || text.endsWith("]")) return { host: text, port: null };
  const port = text.slice(colon + 1);
  if (!PORT.test(port) || Number(port) > PORT_MAX) return null;
  const host = text.slice(0, colon);
  // Without brackets nobody can tell where an IPv6 address ends and its port begins.
  return host.includes(":") && !host.startsWith("[") ? null : { host, port: Number(port) };
}

/** `example.com`, `*.example.com`, each also with `:port`. Kept as it was given; compared as `parseHostPattern` reads it. */
export const HostPattern = z
  .string()
  .min(1)
  .max(255)
  .refine((text) => parseHostPattern(text) !== null, {
    message: "must be a host such as example.com, *.example.com or example.com:8443, without a scheme or a path",
  });

function normaliseIpv6(text: string): string | null {
  return IPV6.test(text) ? (URL.parse(`http://[${text}]/`)?.hostname.slice(1, -1) ?? null) : null;
}
