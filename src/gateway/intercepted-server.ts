import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { Agent } from "node:https";
import type { Duplex } from "node:stream";
import type { TLSSocket } from "node:tls";
import type { Logger } from "../log.ts";
import type { Destination } from "./destination.ts";
import { forwardIntercepted } from "./forward-intercepted.ts";
import type { Scrubbers } from "./scrub.ts";

/** From the end of an answer, or of the handshake, to the whole head of the next request. */
const NEXT_REQUEST_TIMEOUT_MS = 75_000;
/** Without a byte in either direction. A little more than a server may be silent. */
const IDLE_TIMEOUT_MS = 660_000;
const HEAD_BYTES_MAX = 64 * 1024;
/** Requests of one connection that wait for their turn. */
const PIPELINED_MAX = 64;

export interface InterceptedServer {
  /** Answers the requests on this connection until it ends. */
  serve(secure: TLSSocket, to: { destination: Destination; agent: Agent }): void;
}

interface Connection {
  destination: Destination;
  agent: Agent;
  /** Settles when all requests that came so far are answered. */
  turn: Promise<void>;
  unanswered: number;
  nextRequestTimer: NodeJS.Timeout | undefined;
}

/** HTTP/1.1 on connections whose TLS is done already. */
export function createInterceptedServer(scrubberFor: Scrubbers, log: Logger): InterceptedServer {
  const connections = new WeakMap<Duplex, Connection>();

  /** Requests of one connection are handled one after the other, as who pipelines them expects. */
  function onRequest(request: IncomingMessage, response: ServerResponse): void {
    const { socket } = request;
    const connection = connections.get(socket);
    if (!connection || connection.unanswered >= PIPELINED_MAX) {
      socket.destroy();
      return;
    }
    clearTimeout(connection.nextRequestTimer);
    connection.unanswered += 1;
    response.once("close", () => {
      connection.unanswered -= 1;
      if (connection.unanswered === 0) awaitRequest(socket, connection);
    });
    const { destination, agent } = connection;
    connection.turn = connection.turn.then(async () => {
      if (response.destroyed) return;
      await forwardIntercepted({ request, response, destination, agent, scrubberFor, log });
    });
  }

  async function onConnect(_: IncomingMessage, socket: Duplex): Promise<void> {
    const line = { method: "CONNECT", scheme: "https", path: null } as const;
    const message = "CONNECT is not allowed inside of a connection.";
    try {
      await connections.get(socket)?.destination.refuse(line, "method_not_allowed", message);
      socket.end(`HTTP/1.1 403 ${message}\r\nx-deckhand-denied: method_not_allowed\r\nconnection: close\r\n\r\n`);
    } catch {
      socket.destroy();
    }
  }

  const server = createServer({ insecureHTTPParser: false, maxHeaderSize: HEAD_BYTES_MAX, keepAliveTimeout: 0 });
  server.timeout = IDLE_TIMEOUT_MS;
  server.on("request", onRequest).on("checkContinue", onRequest);
  server.on("connect", (request, socket) => void onConnect(request, socket));

  return {
    serve(secure, { destination, agent }) {
      const connection = { destination, agent, turn: Promise.resolve(), unanswered: 0, nextRequestTimer: undefined };
      connections.set(secure, connection);
      secure.once("close", () => clearTimeout(connection.nextRequestTimer));
      secure.setNoDelay();
      awaitRequest(secure, connection);
      server.emit("connection", secure);
    },
  };
}

/** A server that does not listen leaves it to others to end connections on which nothing comes. */
function awaitRequest(socket: Duplex, connection: Connection): void {
  connection.nextRequestTimer = setTimeout(() => socket.destroy(), NEXT_REQUEST_TIMEOUT_MS);
  if (socket.destroyed) clearTimeout(connection.nextRequestTimer);
}
