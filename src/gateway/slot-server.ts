import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { Duplex } from "node:stream";
import type { Admissions } from "./admission.ts";
import { answerBadRequest } from "./bad-request.ts";
import { handleConnect } from "./connect-request.ts";
import type { Dial } from "./dial.ts";
import { CheckedAgent } from "./checked-agent.ts";
import { forwardHttp } from "./forward-http.ts";
import type { HostAndPort } from "./host-pattern.ts";
import type { Interceptor } from "./intercept.ts";
import type { Scrubbers } from "./scrub.ts";

export interface SlotServerOptions {
  admissions: Admissions;
  dial: Dial;
  interceptor: Pick<Interceptor, "accept">;
  scrubberFor: Scrubbers;
  limits: ConnectionLimits;
}

export interface ConnectionLimits {
  /** Of one sandbox, tunnels included. Further ones are closed at once. */
  connectionsMax: number;
  /** From the first byte of a request, or the connection, to the end of its headers. */
  headersTimeoutMs: number;
  /** Without a byte in either direction. */
  idleMs: number;
  /** How often it is asked whether a tunnel that is open may stay so. */
  recheckMs: number;
}

/** What serves one sandbox. */
export interface SlotServer {
  readonly server: Server;
  /** Resolves when all requests are answered and all connections closed, which after `graceMs` are cut. */
  close(graceMs: number): Promise<void>;
}

/** Requests of one connection that wait for the ones before them. apt sends up to ten. */
const PIPELINED_MAX = 32;
const HEADER_BYTES_MAX = 32 * 1024;
const NEXT_REQUEST_TIMEOUT_MS = 75_000;

/** The requests of one connection, which are served one after the other. */
interface Queue {
  turn: Promise<void>;
  length: number;
}

/** Whoever can reach the socket it listens on is the sandbox `gatewayId`. */
export function createSlotServer(gatewayId: string, options: SlotServerOptions): SlotServer {
  const { admissions, dial, interceptor, scrubberFor, limits } = options;
  const agent = new CheckedAgent(dial);
  const sockets = new Set<Duplex>();
  /** Tunnels in which plain http is spoken, and where they go. */
  const tunnels = new WeakMap<Duplex, HostAndPort>();
  const queues = new WeakMap<Duplex, Queue>();

  const server = createServer({
    insecureHTTPParser: false,
    maxHeaderSize: HEADER_BYTES_MAX,
    headersTimeout: limits.headersTimeoutMs,
    // Uploads take as long as they take; what stands still is cut by its idle limit.
    requestTimeout: 0,
    keepAliveTimeout: NEXT_REQUEST_TIMEOUT_MS,
    connectionsCheckingInterval: Math.max(100, limits.headersTimeoutMs / 4),
    noDelay: true,
  });
  server.maxConnections = limits.connectionsMax;
  server.timeout = limits.idleMs;

  server.on("connection", (socket) => {
    sockets.add(socket);
    socket.once("close", () => sockets.delete(socket));
  });
  server.on("clientError", (error: NodeJS.ErrnoException, socket) => answerClientError(error, socket));
  server.on("request", (request, response) => {
    const { socket } = request;
    const queue = queues.get(socket) ?? { turn: Promise.resolve(), length: 0 };
    queues.set(socket, queue);
    if (++queue.length > PIPELINED_MAX) socket.destroy();
    queue.turn = queue.turn.then(async () => {
      if (!socket.destroyed) await serve(request, response);
      queue.length--;
    });
  });
  server.on("connect", (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    // The answer to the one before would be mixed with what comes through the tunnel.
    if ((queues.get(socket)?.length ?? 0) > 0) socket.destroy();
    else if (tunnels.has(socket)) answerBadRequest(socket, "CONNECT is not allowed inside of a tunnel.");
    else void handleConnect(gatewayId, request, { socket, head }, { ...means, ...limits });
  });

  const means = {
    admissions,
    dial,
    interceptor,
    acceptPlainHttp(socket: Duplex, head: Buffer, target: HostAndPort) {
      tunnels.set(socket, target);
      socket.unshift(head);
      server.emit("connection", socket);
      socket.resume();
    },
  };

  async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const tunnel = tunnels.get(request.socket) ?? null;
    const closed = new Promise<void>((resolve) => void response.once("close", resolve));
    const { idleMs } = limits;
    await forwardHttp(gatewayId, { request, response, tunnel }, { admissions, agent, scrubberFor, idleMs });
    await closed;
  }

  return {
    server,
    async close(graceMs) {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      server.closeIdleConnections();
      const timer = setTimeout(() => {
        for (const socket of sockets) socket.destroy();
      }, graceMs);
      await closed;
      clearTimeout(timer);
      agent.destroy();
      admissions.forget(gatewayId);
    },
  };
}

/** What the strict parser refuses, and who takes too long. */
function answerClientError({ code }: NodeJS.ErrnoException, socket: Duplex): void {
  if (!socket.writable || code === "ECONNRESET") socket.destroy();
  else if (code === "HPE_HEADER_OVERFLOW") answerBadRequest(socket, "The headers are too long.", 431);
  else if (code === "ERR_HTTP_REQUEST_TIMEOUT") answerBadRequest(socket, "The request did not come in time.", 408);
  else answerBadRequest(socket, "This is no HTTP request that has only one meaning.");
}
