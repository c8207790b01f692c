import type { Duplex } from "node:stream";

const LINGER_MS = 5_000;
const REASONS = { 400: "Bad Request", 408: "Request Timeout", 431: "Request Header Fields Too Large" };

/** Answers what is no request that could be understood, by hand: there is nothing to make a response of. */
export function answerBadRequest(socket: Duplex, message: string, status: keyof typeof REASONS = 400): void {
  const body = `${JSON.stringify({ error: { type: "bad_request", message } })}\n`;
  const head = [
    `HTTP/1.1 ${status} ${REASONS[status]}`,
    "Content-Type: application/json",
    `Content-Length: ${Buffer.byteLength(body)}`,
    "Connection: close",
  ];
  endSoon(socket, `${head.join("\r\n")}\r\n\r\n${body}`);
}

/** Ends a connection with the last that is said on it, whether or not the other side ends it too. */
export function endSoon(socket: Duplex, last?: string | Buffer): void {
  if (socket.destroyed) return;
  socket.end(last);
  socket.resume();
  const timer = setTimeout(() => socket.destroy(), LINGER_MS);
  socket.once("close", () => clearTimeout(timer));
}
