import type { IncomingMessage } from "node:http";
import type { Destination } from "./destination.ts";
import { repositoryAt, repositoryAuthorization } from "./git-repository.ts";
import { endToEnd, type HeaderList, headerList, headerValues } from "./header-list.ts";
import { formatHostAndPort } from "./host-pattern.ts";
import type { HostSecrets } from "./host-secrets.ts";
import type { SentSecrets } from "./scrub.ts";
import { HIDING_HEADERS, soughtSecrets } from "./sought-secrets.ts";
import { substituteHeaders } from "./substitute-headers.ts";

const HTTPS_PORT = 443;
const EXPECTS_BODY = ["POST", "PUT", "PATCH"];
/** A placeholder's body that is sent with its length must be in memory whole. */
const BUFFERED_BYTES_MAX = 1024 * 1024;

/** What the gateway sets itself. */
const REPLACED = ["host", "content-length", "expect", ...HIDING_HEADERS];

/** How the length of a request's body is told to the server. */
export type BodyFraming =
  | { type: "none" }
  | { type: "length"; bytes: number }
  | { type: "buffered" }
  | { type: "chunked" };

export interface OutgoingRequest {
  /** With secrets, and without what tells the body's length. */
  headers: HeaderList;
  body: BodyFraming;
  /** Of credentials and repository resources. */
  credentialIds: readonly string[];
  sent: SentSecrets;
}

/**
 * A request as it goes to the server.
 * @throws UnsendableSecretError; UnreachableError when the host has more secrets than can be looked for in its answer
 */
export function outgoingRequest(
  request: Pick<IncomingMessage, "method" | "rawHeaders" | "headers">,
  path: string,
  destination: Pick<Destination, "host" | "port">,
  secrets: HostSecrets,
): OutgoingRequest {
  const kept = endToEnd(headerList(request.rawHeaders), REPLACED);
  const substituted = substituteHeaders(kept, secrets.variables);
  const repository = repositoryAt(secrets.repositories, { ...destination, path });
  const token = headerValues(kept, "authorization").length === 0 ? repository?.token : null;
  const authorization = token ? repositoryAuthorization(token.reveal()) : null;
  const sought = soughtSecrets(secrets, destination.host);
  return {
    headers: [
      ["Host", formatHostAndPort(destination, HTTPS_PORT)],
      ...substituted.headers,
      ["Accept-Encoding", "identity"],
      ...(authorization ? [["Authorization", authorization] as const] : []),
    ],
    body: framingOf(
      request,
      secrets.variables.some(({ inBody }) => inBody),
    ),
    credentialIds: [...substituted.credentialIds, ...(authorization && repository ? [repository.resourceId] : [])],
    sent: { ...sought, basics: substituted.basics },
  };
}

/** @returns names and values that tell how long the body is */
export function framingHeaders(body: BodyFraming, bufferedBytes: number): HeaderList {
  if (body.type === "none") return [];
  if (body.type === "chunked") return [["Transfer-Encoding", "chunked"]];
  return [["Content-Length", String(body.type === "length" ? body.bytes : bufferedBytes)]];
}

function framingOf(
  { method = "", headers }: Pick<IncomingMessage, "method" | "headers">,
  mayGrow: boolean,
): BodyFraming {
  if (headers["transfer-encoding"] !== undefined) return { type: "chunked" };
  const given = headers["content-length"];
  if (given === undefined) return EXPECTS_BODY.includes(method) ? { type: "length", bytes: 0 } : { type: "none" };
  const bytes = Number(given);
  if (!mayGrow || bytes === 0) return { type: "length", bytes };
  return bytes <= BUFFERED_BYTES_MAX ? { type: "buffered" } : { type: "chunked" };
}
