import type { IncomingMessage } from "node:http";
import type { Destination } from "./destination.ts";
import { headerList, headerValues } from "./header-list.ts";
import { formatHostAndPort, parseHostAndPort } from "./host-pattern.ts";

const HTTPS_PORT = 443;
const ABSOLUTE = /^https:\/\/(?<authority>[^/?#\\@]+)(?<path>[/?][^#]*)?$/i;

/** Why a request that came over intercepted TLS is not passed on, whatever the policy says. */
export interface Objection {
  rule: "name_mismatch" | "upgrade" | "method_not_allowed";
  message: string;
}

/** What to ask the server for: its path, or why not. */
export function requestTarget(
  request: Pick<IncomingMessage, "method" | "url" | "httpVersion" | "rawHeaders" | "headers">,
  destination: Pick<Destination, "host" | "port">,
): { path: string } | Objection {
  const { method = "", url = "", httpVersion } = request;
  const where = formatHostAndPort(destination, HTTPS_PORT);
  if (method === "TRACE" || method === "CONNECT") {
    return { rule: "method_not_allowed", message: `${method} is not allowed to ${where}, which has a secret.` };
  }
  if (request.headers.upgrade !== undefined) {
    const message = `Upgrades such as WebSocket are not allowed to ${where}: the gateway could not look into them.`;
    return { rule: "upgrade", message };
  }
  const hosts = headerValues(headerList(request.rawHeaders), "host");
  const absolute = ABSOLUTE.exec(url)?.groups;
  const named = absolute ? [...hosts, absolute["authority"] ?? ""] : hosts;
  // Only HTTP/1.0 may leave it out.
  const isNamedOnce = hosts.length === 1 || (hosts.length === 0 && httpVersion === "1.0");
  if (!isNamedOnce || !named.every((name) => isSame(name, destination)) || !(absolute || isPath(url, method))) {
    const message = `The request is for another host than ${where}, to which the connection is.`;
    return { rule: "name_mismatch", message };
  }
  return { path: absolute ? pathOf(absolute["path"] ?? "") : url };
}

function isSame(name: string, { host, port }: Pick<Destination, "host" | "port">): boolean {
  const given = parseHostAndPort(name, HTTPS_PORT);
  return given !== null && given.host === host && given.port === port;
}

const isPath = (url: string, method: string) => url.startsWith("/") || (url === "*" && method === "OPTIONS");
const pathOf = (rest: string) => (rest.startsWith("/") ? rest : `/${rest}`);
