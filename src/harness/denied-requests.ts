/** A request of a sandbox that the gateway refused. */
export interface DeniedRequest {
  method: string;
  scheme: string;
  host: string;
  port: number;
  /** Without its query; null for a tunnel. */
  path: string | null;
  /** Why: `DenyRule` of src/gateway/decision.ts. */
  rule: string;
}

export interface DeniedRequests {
  /** Oldest first, 20 at most. What the gateway refused is here before the program that asked was told. */
  deniedSince(sessionId: string, since: Date): Promise<DeniedRequest[]>;
}

const ADDRESS_CHARS_MAX = 300;
const DEFAULT_PORTS: Readonly<Record<string, number>> = { http: 80, https: 443 };

/** What the model is told of them, each once. Pure. */
export function denialLines(denied: readonly DeniedRequest[]): string[] {
  const lines = denied.map((request) => `[network] ${askedFor(request)} was refused: ${reasonOf(request)}.`);
  return [...new Set(lines)];
}

function askedFor({ method, scheme, host, port, path }: DeniedRequest): string {
  const place = port === DEFAULT_PORTS[scheme] ? host : `${host}:${port}`;
  const address = path === null ? place : `${scheme}://${place}${path}`;
  return `${method} ${address.length > ADDRESS_CHARS_MAX ? `${address.slice(0, ADDRESS_CHARS_MAX)}…` : address}`;
}

function reasonOf({ rule, host, port }: DeniedRequest): string {
  switch (rule) {
    case "host_not_allowed":
      return `host ${host} is not in this environment's allowed_hosts`;
    case "port_not_allowed":
      return `port ${port} of host ${host} is not allowed`;
    case "private_address":
      return `host ${host} has an address that is not public`;
    case "name_mismatch":
      return `the request names another host than ${host}, which was connected to`;
    case "not_https":
      return `host ${host} has a secret of this session, so only https and http may go to it`;
    case "upgrade":
      return `no WebSocket or other protocol may be begun with ${host}`;
    case "method_not_allowed":
      return `the method is not allowed for ${host}`;
    case "request_limit":
      return "the session made too many requests in the last minute";
    case "byte_limit":
      return "the session moved too many bytes in the last hour";
    default:
      return `rule ${rule}`;
  }
}
