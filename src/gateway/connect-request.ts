import { type IncomingMessage, ServerResponse } from "node:http";
import type { Socket } from "node:net";
import type { Duplex } from "node:stream";
import type { Admissions, OpenAdmission } from "./admission.ts";
import { answerBadGateway, answerDenied } from "./answer.ts";
import { answerBadRequest, endSoon } from "./bad-request.ts";
import { HANDSHAKE_RECORD, readClientHello } from "./client-hello.ts";
import { DeniedError, UnreachableError } from "./destination.ts";
import { destinationFor } from "./destination-for.ts";
import type { Dial } from "./dial.ts";
import { firstBytes } from "./first-bytes.ts";
import { type HostAndPort, isAddress, normaliseHost, parseHostAndPort } from "./host-pattern.ts";
import { hasSecrets, secretsForHost } from "./host-secrets.ts";
import type { Interceptor } from "./intercept.ts";
import { relay } from "./tunnel.ts";

export interface ConnectOptions {
  admissions: Admissions;
  dial: Dial;
  interceptor: Pick<Interceptor, "accept">;
  /** Takes over a tunnel in which plain http is spoken, for requests that are looked at one by one. */
  acceptPlainHttp(socket: Duplex, head: Buffer, target: HostAndPort): void;
  idleMs: number;
  recheckMs: number;
}

interface Opening {
  gatewayId: string;
  target: HostAndPort;
  socket: Duplex;
  head: Buffer;
  admission: OpenAdmission;
}

/** What may still become, or is, the method of a request and the space after it. */
const METHOD = /^[A-Z-]{0,20}( |$)/;
const REQUEST_LINE = /^[A-Z-]+ [^\r\n]+ HTTP\/1\.[01]\r?\n/;
const ESTABLISHED = "HTTP/1.1 200 Connection established\r\n\r\n";
const RECORD_TYPE_ALERT = 21;
const FATAL = 2;
const UNRECOGNIZED_NAME = 112;
/** What TLS says instead of a hello to a name it does not know. */
const ALERT = Buffer.from([RECORD_TYPE_ALERT, 3, 3, 0, 2, FATAL, UNRECOGNIZED_NAME]);

/**
 * Answers one CONNECT: looked into where a secret belongs to the host, untouched otherwise. Where it is looked into, and
 * under limited networking, a tunnel must be TLS for the host that was asked for, or plain http, whose requests are looked
 * at one by one. Never rejects.
 */
export async function handleConnect(
  gatewayId: string,
  request: IncomingMessage,
  { socket, head }: { socket: Duplex; head: Buffer },
  options: ConnectOptions,
): Promise<void> {
  socket.on("error", () => socket.destroy());
  const target = parseHostAndPort(request.url ?? "", null);
  if (!target) {
    answerBadRequest(socket, "CONNECT needs a host and a port, such as example.com:443.");
    return;
  }
  let admission: OpenAdmission | null = null;
  try {
    admission = await options.admissions.admit(gatewayId, target, { method: "CONNECT", scheme: "tcp", path: null });
    await open({ gatewayId, target, socket, head, admission }, options);
  } catch (error) {
    if (error instanceof DeniedError) await admission?.refuse(error);
    admission?.finish({ status: 502 });
    refuse(request, socket, error);
  }
}

async function open(opening: Opening, options: ConnectOptions): Promise<void> {
  const { gatewayId, target, socket, head, admission } = opening;
  const { policy, rule } = admission;
  const isLimited = policy.networking.type === "limited";
  if (rule === "repository" || hasSecrets(secretsForHost(policy, target.host, target.port))) {
    socket.write(ESTABLISHED);
    const first = await firstBytes(socket, head, isTelling);
    if (!first) return end(opening);
    if (first[0] === HANDSHAKE_RECORD) {
      return options.interceptor.accept(socket, first, destinationFor(gatewayId, target, options));
    }
    if (REQUEST_LINE.test(first.toString("latin1"))) return options.acceptPlainHttp(socket, first, target);
    const message = `What came is neither https nor http: nothing else goes to ${target.host}, which has a secret.`;
    throw new DeniedError(message, { host: target.host, rule: "not_https" });
  }
  const upstream = await options.dial(target, { halfOpen: true });
  // Breaking now is noticed when it is written to.
  upstream.on("error", () => upstream.destroy());
  if (socket.destroyed) {
    upstream.destroy();
    return end(opening);
  }
  socket.write(ESTABLISHED);
  if (isLimited) await relayChecked(opening, upstream, options);
  else relayUnread(opening, upstream, options);
}

/** Whether these first bytes are enough to tell TLS, http and others apart. */
function isTelling(bytes: Buffer): boolean {
  if (bytes.length === 0) return false;
  if (bytes[0] === HANDSHAKE_RECORD || bytes.includes("\n")) return true;
  return !METHOD.test(bytes.toString("latin1"));
}

function relayUnread(
  { gatewayId, target, socket, head, admission }: Opening,
  upstream: Socket,
  { admissions, idleMs, recheckMs }: ConnectOptions,
): void {
  const recheck = () => admissions.recheck(gatewayId, target, admission);
  relay(socket, upstream, { head, admission, idleMs, recheck, recheckMs });
}

async function relayChecked(opening: Opening, upstream: Socket, options: ConnectOptions): Promise<void> {
  const { socket, head, target, admission } = opening;
  const first = await firstBytes(socket, head, (bytes) => readClientHello(bytes).kind !== "incomplete");
  const hello = first && readClientHello(first);
  if (hello?.kind === "hello" && isFor(target.host, hello.serverName)) {
    relayUnread({ ...opening, head: first ?? head }, upstream, options);
    return;
  }
  upstream.destroy();
  if (!first || !hello) return end(opening);
  if (hello.kind === "other") return options.acceptPlainHttp(socket, first, target);
  const message = `TLS in the tunnel to ${target.host} is for another host: the two must be the same.`;
  await admission.refuse(new DeniedError(message, { host: target.host, rule: "name_mismatch" }));
  endSoon(socket, ALERT);
}

/** An address has no name that TLS could name. */
const isFor = (host: string, serverName: string | null) =>
  isAddress(host) ? serverName === null : serverName !== null && normaliseHost(serverName) === host;

/** Before anything passed. */
function end({ socket, admission }: Opening): void {
  admission.finish({ status: null });
  socket.destroy();
}

function refuse(request: IncomingMessage, socket: Duplex, error: unknown): void {
  const response = new ServerResponse(request);
  response.shouldKeepAlive = false;
  response.once("finish", () => endSoon(socket));
  response.assignSocket(socketOf(request));
  if (error instanceof DeniedError) answerDenied(response, error);
  else answerBadGateway(response, error instanceof UnreachableError ? error.message : "The gateway failed.");
}

/** The same one that `connect` events pass as a stream. */
const socketOf = (request: IncomingMessage): Socket => request.socket;
