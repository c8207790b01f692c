import type { IncomingMessage } from "node:http";
import { headerList, headerValues } from "./header-list.ts";
import { formatHostAndPort, type HostAndPort, parseHostAndPort } from "./host-pattern.ts";

export const HTTP_PORT = 80;
const ABSOLUTE = /^http:\/\/(?<authority>[^/?#]*)(?<rest>[^#]*)$/i;

/** Where a plain request goes. `path` is as it was written. */
export interface PlainTarget {
  target: HostAndPort;
  path: string;
}

/**
 * Reads `GET http://host/path`, as proxies are asked, whose `Host` header does not count; or, in a tunnel, `GET /path`,
 * whose `Host` header must name the tunnel's host.
 * @param tunnel where the tunnel goes that the request came in; null outside of one
 * @returns null for what is neither; what is wrong with a request in a tunnel that is for another host
 */
export function plainTarget(
  { url = "", rawHeaders }: Pick<IncomingMessage, "url" | "rawHeaders">,
  tunnel: HostAndPort | null,
): PlainTarget | { objection: string } | null {
  if (tunnel) {
    const hosts = headerValues(headerList(rawHeaders), "host");
    if (!url.startsWith("/") && url !== "*") return null;
    if (hosts.length === 1 && isSame(hosts[0] ?? "", tunnel)) return { target: tunnel, path: url };
    return { objection: `A request in the tunnel to ${tunnel.host} is for another host: the two must be the same.` };
  }
  const parts = ABSOLUTE.exec(url)?.groups;
  // A user and a password would be a credential; whoever has one sends it in a header.
  const authority = parts?.["authority"]?.replace(/^.*@/s, "") ?? "";
  const target = parseHostAndPort(authority, HTTP_PORT);
  const rest = parts?.["rest"] ?? "";
  return target && { target, path: rest.startsWith("/") ? rest : `/${rest}` };
}

function isSame(name: string, tunnel: HostAndPort): boolean {
  const given = parseHostAndPort(name, HTTP_PORT);
  return given !== null && formatHostAndPort(given, 0) === formatHostAndPort(tunnel, 0);
}
