import { hostPatternMatches, parseHostAndPort } from "./host-pattern.ts";
import type { NetworkingPolicy } from "./sandbox-policy.ts";

const HTTPS_PORT = 443;

/**
 * Of these `HostPattern`s, those that have no host in common with what a sandbox may reach. Pure.
 * @param packageHosts what `packageManagers` stands for
 */
export function unreachableHosts(
  patterns: readonly string[],
  networking: NetworkingPolicy,
  packageHosts: readonly string[],
): string[] {
  if (networking.type === "unrestricted") return [];
  const allowed = [...networking.allowedHosts, ...(networking.packageManagers ? packageHosts : [])];
  return patterns.filter((pattern) => !allowed.some((other) => holds(other, pattern) || holds(pattern, other)));
}

/** Of two patterns that overlap, one holds all of the other: a host of the inner one tells. */
function holds(outer: string, inner: string): boolean {
  const host = parseHostAndPort(inner.replace(/^\*\./, "any."), HTTPS_PORT);
  return host !== null && hostPatternMatches(outer, host.host, host.port);
}
