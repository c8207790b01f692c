import type { ServerResponse } from "node:http";
import type { DeniedError } from "./destination.ts";

const LATIN_PRINTABLE = /[^\x20-\x7e]/g;

/** Answers what policy refused. Says why in the status text too: of some requests clients show nothing else. */
export function answerDenied(response: ServerResponse, { status, host, rule, message }: DeniedError): void {
  answer(response, {
    status,
    statusText: message,
    headers: { "x-deckhand-denied": rule },
    error: { type: "denied", host, rule, message },
  });
}

/** Answers what was allowed and could not be done. @param message holds nothing secret */
export function answerBadGateway(response: ServerResponse, message: string): void {
  answer(response, { status: 502, statusText: "Bad Gateway", headers: {}, error: { type: "bad_gateway", message } });
}

interface Answer {
  status: number;
  statusText: string;
  headers: Record<string, string>;
  error: Record<string, string>;
}

function answer(response: ServerResponse, { status, statusText, headers, error }: Answer): void {
  if (response.headersSent || response.destroyed) {
    response.destroy();
    return;
  }
  // Who was not told to go on sends no body, or sends it still: nothing can follow.
  if (response.req.headers.expect !== undefined) response.shouldKeepAlive = false;
  const body = `${JSON.stringify({ error })}\n`;
  response.writeHead(status, statusText.replaceAll(LATIN_PRINTABLE, "?"), {
    ...headers,
    "content-type": "application/json",
    "content-length": Buffer.byteLength(body),
  });
  response.end(body);
}
