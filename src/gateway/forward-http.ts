import {
  Agent,
  type ClientRequest,
  type IncomingMessage,
  request as httpRequest,
  type ServerResponse,
} from "node:http";
import type { Duplex } from "node:stream";
import { pipeline } from "node:stream/promises";
import { messageOf } from "../errors.ts";
import type { Admissions, OpenAdmission } from "./admission.ts";
import { answerBadGateway, answerDenied } from "./answer.ts";
import { DeniedError, UnreachableError } from "./destination.ts";
import type { Dial } from "./dial.ts";
import { endToEnd, headerList, headerValues } from "./header-list.ts";
import { formatHostAndPort, type HostAndPort } from "./host-pattern.ts";
import { HTTP_PORT, type PlainTarget, plainTarget } from "./plain-target.ts";
import { counts } from "./tunnel.ts";

export interface ForwardOptions {
  admissions: Admissions;
  /** Of this sandbox alone. */
  agent: Agent;
  idleMs: number;
}

const SOCKETS_MAX = 256;
const FREE_SOCKETS_MAX = 8;
/** Less than the five seconds after which many servers close, so that a request seldom meets a closed connection. */
const KEEP_ALIVE_MS = 4_000;
const METHODS_WITH_BODY = new Set(["POST", "PUT", "PATCH"]);
const PRINTABLE = /^[\x20-\x7e]*$/;

/** Connections to servers for one sandbox's plain requests, each to an address that was checked when it was made. */
export class CheckedAgent extends Agent {
  readonly #dial: Dial;

  constructor(dial: Dial) {
    super({ keepAlive: true, maxTotalSockets: SOCKETS_MAX, maxFreeSockets: FREE_SOCKETS_MAX });
    this.#dial = dial;
    this.on("free", (socket: { setTimeout?: (ms: number) => void }) => socket.setTimeout?.(KEEP_ALIVE_MS));
  }

  override createConnection(
    { host, port }: { host?: string | null; port?: string | number | null },
    done?: (error: Error | null, stream: Duplex) => void,
  ): undefined {
    const report = done as (error: Error | null, stream?: Duplex) => void;
    this.#dial({ host: host ?? "", port: Number(port) }).then(
      (socket) => report(null, socket),
      (error: unknown) => report(error instanceof Error ? error : new Error(messageOf(error))),
    );
  }
}

/**
 * Passes one plain http request on, as it is but for its `Host`, and streams the answer back. No secret is ever put into
 * it. Never rejects.
 * @param tunnel where the tunnel goes that the request came in; null outside of one
 */
export async function forwardHttp(
  gatewayId: string,
  { request, response, tunnel }: { request: IncomingMessage; response: ServerResponse; tunnel: HostAndPort | null },
  { admissions, agent, idleMs }: ForwardOptions,
): Promise<void> {
  let admission: OpenAdmission | null = null;
  try {
    const { method = "", url = "" } = request;
    const asked = plainTarget(request, tunnel);
    if (!asked) return answerNoProxyRequest(response);
    if ("objection" in asked) {
      const target = tunnel ?? { host: "", port: 0 };
      const line = { method, scheme: "http", path: url } as const;
      return answerDenied(response, await admissions.refuse(gatewayId, target, line, "name_mismatch", asked.objection));
    }
    const { target, path } = asked;
    admission = await admissions.admit(gatewayId, target, { method, scheme: "http", path });
    if (isUpgrade(request)) throw upgradeRefused(target.host);
    if (response.destroyed) return admission.finish({ status: null });
    await exchange({ request, response, admission, target, path }, { agent, idleMs });
  } catch (error) {
    if (error instanceof DeniedError) {
      await admission?.refuse(error);
      answerDenied(response, error);
      return;
    }
    admission?.finish({ status: 502 });
    answerBadGateway(response, error instanceof UnreachableError ? error.message : "The connection to the host broke.");
  }
}

interface Exchange extends PlainTarget {
  request: IncomingMessage;
  response: ServerResponse;
  admission: OpenAdmission;
}

/** @throws DeniedError, UnreachableError, or what broke before there was an answer */
async function exchange(given: Exchange, means: { agent: Agent; idleMs: number }): Promise<void> {
  const { request, response, admission } = given;
  const { upstream, reply } = await answerOf(given, means);
  response.once("close", () => upstream.destroy());
  const { statusCode = 502, statusMessage = "", rawHeaders } = reply;
  const headers = endToEnd(headerList(rawHeaders), []);
  response.writeHead(statusCode, PRINTABLE.test(statusMessage) ? statusMessage : "", headers.flat());
  reply.on("data", (chunk: Buffer) => void (counts(admission, "in", chunk.length) || reply.destroy()));
  try {
    await pipeline(reply, response);
  } catch {
    // What was sent can't be taken back: the client sees the connection break.
    request.destroy();
  } finally {
    admission.finish({ status: statusCode });
  }
}

interface Answered {
  upstream: ClientRequest;
  reply: IncomingMessage;
}

/** A kept connection may have been closed just now; a request without a body is then sent once more, on a new one. */
async function answerOf(given: Exchange, means: { agent: Agent; idleMs: number }): Promise<Answered> {
  const attempt = send(given, means);
  try {
    return await attempt.answer;
  } catch (error) {
    if (!attempt.upstream.reusedSocket || hasBody(given.request) || given.response.destroyed) throw error;
    if (error instanceof DeniedError || METHODS_WITH_BODY.has(given.request.method ?? "")) throw error;
    return send(given, means).answer;
  }
}

function send(
  { request, response, admission, target, path }: Exchange,
  { agent, idleMs }: { agent: Agent; idleMs: number },
): { upstream: ClientRequest; answer: Promise<Answered> } {
  const { promise, resolve, reject } = Promise.withResolvers<Answered>();
  const upstream = httpRequest({
    agent,
    host: target.host,
    port: target.port,
    method: request.method,
    path,
    setHost: false,
    headers: [...upstreamHeaders(request, target)],
  });
  upstream.once("response", (reply) => resolve({ upstream, reply }));
  upstream.on("error", reject);
  upstream.setTimeout(idleMs, () => upstream.destroy(new UnreachableError(`${target.host} does not answer.`)));
  response.once("close", () => upstream.destroy(new Error("The client left.")));
  if (!hasBody(request)) upstream.end();
  else {
    request.on("data", (chunk: Buffer) => {
      if (!counts(admission, "out", chunk.length)) {
        const message = "This sandbox has used up the bytes it may move for now.";
        upstream.destroy(new DeniedError(message, { status: 429, host: target.host, rule: "byte_limit" }));
      }
    });
    request.pipe(upstream);
  }
  return { upstream, answer: promise };
}

/** Names and values in turn, with the `Host` that was checked. */
function upstreamHeaders(request: IncomingMessage, target: HostAndPort): string[] {
  const given = endToEnd(headerList(request.rawHeaders), ["host", "content-length", "expect"]);
  const headers = ["Host", formatHostAndPort(target, HTTP_PORT), ...given.flat()];
  const length = request.headers["content-length"];
  if (request.headers["transfer-encoding"] !== undefined) headers.push("Transfer-Encoding", "chunked");
  else if (length !== undefined) headers.push("Content-Length", length);
  else if (METHODS_WITH_BODY.has(request.method ?? "")) headers.push("Content-Length", "0");
  return headers;
}

const hasBody = ({ headers }: IncomingMessage) =>
  headers["transfer-encoding"] !== undefined || Number(headers["content-length"] ?? 0) > 0;

/** An offer of HTTP/2 may be declined by not answering it, and clients that make it expect that. */
const isUpgrade = (request: IncomingMessage) =>
  headerValues(headerList(request.rawHeaders), "upgrade").some((value) => !/^\s*h2c\s*$/i.test(value));

const upgradeRefused = (host: string) =>
  new DeniedError(`Upgrades such as WebSocket are not allowed over plain http to ${host}: use wss.`, {
    host,
    rule: "upgrade",
  });

function answerNoProxyRequest(response: ServerResponse): void {
  const message = "This is a proxy: it is asked with a whole http:// URL, or with CONNECT for https.";
  const body = `${JSON.stringify({ error: { type: "bad_request", message } })}\n`;
  response.writeHead(400, { "content-type": "application/json", connection: "close" }).end(body);
}
