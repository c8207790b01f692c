import type { RequestLine } from "./destination.ts";
import { repositoryAt } from "./git-repository.ts";
import { type HostAndPort, hostPatternMatches } from "./host-pattern.ts";
import type { SandboxPolicy } from "./sandbox-policy.ts";

export type AllowRule = "unrestricted" | "allowed_hosts" | "package_managers" | "repository";

/** Why a request was refused: in the audit row and in `x-deckhand-denied`. */
export type DenyRule =
  | "host_not_allowed"
  | "port_not_allowed"
  /** The name has an address that is not public. */
  | "private_address"
  /** The host that was asked for is not the one that TLS or `Host` names. */
  | "name_mismatch"
  /** What came through a tunnel to a host that has a secret is neither TLS nor HTTP. */
  | "not_https"
  | "upgrade"
  | "method_not_allowed"
  /** A secret has a line break, and would stand in a header. */
  | "unsendable_secret"
  | "request_limit"
  | "byte_limit"
  /** No session and no build has this socket. */
  | "unknown_sandbox";

export type Decision = { allow: true; rule: AllowRule } | { allow: false; rule: DenyRule; message: string };

/** Mail goes out on no policy: what a sandbox sends would be the installation's. */
const SMTP_PORT = 25;

/**
 * What the policy says of a request, before anything is looked up or sent.
 *
 * A tunnel to the host of a repository is allowed for that repository's sake; whoever lets it through must look at each
 * request in it. The path of such a request decides, on https only.
 * @param packageHosts `HostPattern`s
 */
export function decide(
  { networking, repositories }: Pick<SandboxPolicy, "networking" | "repositories">,
  { host, port }: HostAndPort,
  { scheme, path }: Pick<RequestLine, "scheme" | "path">,
  packageHosts: readonly string[],
): Decision {
  if (networking.type === "unrestricted") {
    if (port !== SMTP_PORT) return { allow: true, rule: "unrestricted" };
    return wrongPort(host, port, "no sandbox may send mail by itself");
  }
  const lists: [AllowRule, readonly string[]][] = [["allowed_hosts", networking.allowedHosts]];
  if (networking.packageManagers) lists.push(["package_managers", packageHosts]);
  for (const [rule, patterns] of lists) {
    if (patterns.some((pattern) => hostPatternMatches(pattern, host, port))) return { allow: true, rule };
  }
  if (isForRepository(repositories, { host, port }, { scheme, path })) return { allow: true, rule: "repository" };
  if (lists.some(([, patterns]) => patterns.some((pattern) => hostPatternMatches(pattern, host, null)))) {
    return wrongPort(host, port, "this environment allows the host on 80 and 443, or on the port it names");
  }
  return {
    allow: false,
    rule: "host_not_allowed",
    message: `${host} is not allowed: this environment's networking is limited, and the host is not among its allowed_hosts.`,
  };
}

const wrongPort = (host: string, port: number, why: string): Decision => ({
  allow: false,
  rule: "port_not_allowed",
  message: `Port ${port} of ${host} is not allowed: ${why}.`,
});

function isForRepository(
  repositories: SandboxPolicy["repositories"],
  { host, port }: HostAndPort,
  { scheme, path }: Pick<RequestLine, "scheme" | "path">,
): boolean {
  if (scheme === "tcp") return repositories.some((one) => one.host.toLowerCase() === host && one.port === port);
  return scheme === "https" && path !== null && repositoryAt(repositories, { host, port, path }) !== null;
}
