import {
  type Agent,
  type ClientRequest,
  type IncomingMessage,
  request as httpRequest,
  type ServerResponse,
} from "node:http";
import { pipeline } from "node:stream/promises";
import type { Admissions, OpenAdmission } from "./admission.ts";
import { answerBadGateway, answerDenied } from "./answer.ts";
import { UnreadableEncodingError } from "./decode-body.ts";
import { DeniedError, UnreachableError } from "./destination.ts";
import { endToEnd, headerList, headerValues } from "./header-list.ts";
import { formatHostAndPort, type HostAndPort } from "./host-pattern.ts";
import { hasSecrets, secretsForHost } from "./host-secrets.ts";
import { passAnswer } from "./pass-answer.ts";
import { HTTP_PORT, type PlainTarget, plainTarget } from "./plain-target.ts";
import type { Scrubber, Scrubbers } from "./scrub.ts";
import { HIDING_HEADERS, soughtSecrets } from "./sought-secrets.ts";
import { counts } from "./tunnel.ts";

export interface ForwardOptions {
  admissions: Admissions;
  /** Of this sandbox alone. */
  agent: Agent;
  scrubberFor: Scrubbers;
  idleMs: number;
}

const METHODS_WITH_BODY = new Set(["POST", "PUT", "PATCH"]);
const PRINTABLE = /^[\x20-\x7e]*$/;

/**
 * Passes one plain http request on, as it is but for its `Host`, and streams the answer back. No secret is ever put into
 * it; but a host that gets one over https may show it here, so its answer is looked through. Never rejects.
 * @param tunnel where the tunnel goes that the request came in; null outside of one
 */
export async function forwardHttp(
  gatewayId: string,
  { request, response, tunnel }: { request: IncomingMessage; response: ServerResponse; tunnel: HostAndPort | null },
  { admissions, agent, scrubberFor, idleMs }: ForwardOptions,
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
    const secrets = secretsForHost(admission.policy, target.host, target.port);
    const scrubber = hasSecrets(secrets) ? scrubberFor(soughtSecrets(secrets, target.host)) : null;
    await exchange({ request, response, admission, target, path, scrubber }, { agent, idleMs });
  } catch (error) {
    if (error instanceof DeniedError) {
      await admission?.refuse(error);
      answerDenied(response, error);
      return;
    }
    admission?.finish({ status: 502 });
    const isTold = error instanceof UnreachableError || error instanceof UnreadableEncodingError;
    answerBadGateway(response, isTold ? error.message : "The connection to the host broke.");
  }
}

interface Exchange extends PlainTarget {
  request: IncomingMessage;
  response: ServerResponse;
  admission: OpenAdmission;
  /** Null where the host has no secret. */
  scrubber: Scrubber | null;
}

/** @throws DeniedError, UnreachableError, or what broke before there was an answer */
async function exchange(given: Exchange, means: { agent: Agent; idleMs: number }): Promise<void> {
  const { response, admission, scrubber } = given;
  const { upstream, reply } = await answerOf(given, means);
  response.once("close", () => upstream.destroy());
  if (!scrubber) return passUnread(given, reply);
  try {
    await passAnswer(reply, response, scrubber, (bytes) => admission.count("in", bytes));
  } finally {
    if (response.headersSent) admission.finish({ status: response.statusCode });
  }
}

async function passUnread({ request, response, admission }: Exchange, reply: IncomingMessage): Promise<void> {
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
  { request, response, admission, target, path, scrubber }: Exchange,
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
    headers: upstreamHeaders(request, target, scrubber !== null),
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
function upstreamHeaders(request: IncomingMessage, target: HostAndPort, isScrubbed: boolean): string[] {
  const replaced = ["host", "content-length", "expect", ...(isScrubbed ? HIDING_HEADERS : [])];
  const given = endToEnd(headerList(request.rawHeaders), replaced);
  const headers = ["Host", formatHostAndPort(target, HTTP_PORT), ...given.flat()];
  if (isScrubbed) headers.push("Accept-Encoding", "identity");
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
