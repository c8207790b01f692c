import { once } from "node:events";
import type { ServerResponse } from "node:http";
import type { FastifyReply, FastifyRequest } from "fastify";
import { errorBody } from "./errors.ts";

/** Proxies close connections that stay silent; half a minute is a common limit. */
const PING_INTERVAL_MS = 15_000;
/** A client that takes nothing in for this long is cut off, so that what waits for it does not pile up. */
const STALL_TIMEOUT_MS = 30_000;

const PING = frame({ type: "ping" });

interface Frame {
  type: string;
}

export interface StreamTimes {
  pingIntervalMs?: number;
  stallTimeoutMs?: number;
}

/**
 * Answers a request with server-sent events until the source ends, the client goes away, or `closing` aborts.
 *
 * `subscribe` is awaited before any header is sent: whatever happens after a client saw the headers reaches it. What it
 * throws is answered as an ordinary error. One frame at a time is in the making, and the next one is asked of the source
 * only when the client has taken in enough, so a slow client costs one frame and its socket's buffer.
 */
export async function streamEvents(
  request: FastifyRequest,
  reply: FastifyReply,
  closing: AbortSignal,
  subscribe: (signal: AbortSignal) => Promise<AsyncIterable<Frame>>,
  { pingIntervalMs = PING_INTERVAL_MS, stallTimeoutMs = STALL_TIMEOUT_MS }: StreamTimes = {},
): Promise<void> {
  const gone = new AbortController();
  const response = reply.raw;
  response.once("close", () => gone.abort());
  if (response.destroyed) gone.abort();
  const signal = AbortSignal.any([gone.signal, closing]);
  const events = await subscribe(signal);

  reply.hijack();
  sendHeaders(reply);
  const ping = setInterval(() => {
    if (!response.writableNeedDrain) response.write(PING);
  }, pingIntervalMs);
  try {
    for await (const event of events) {
      if (signal.aborted) break;
      if (!response.write(frame(event)) && !(await drained(response, stallTimeoutMs, signal))) return;
    }
    response.end();
  } catch (error) {
    if (signal.aborted) return;
    request.log.error({ err: error }, "event stream failed");
    response.end(`event: error\ndata: ${JSON.stringify(errorBody(error, request.id))}\n\n`);
  } finally {
    clearInterval(ping);
    if (!response.writableEnded) response.destroy();
  }
}

/** JSON escapes line breaks, so a frame's data is always one line. */
function frame(event: Frame): string {
  return `event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`;
}

function sendHeaders(reply: FastifyReply): void {
  reply.raw.writeHead(200, {
    ...Object.fromEntries(Object.entries(reply.getHeaders()).filter(([, value]) => value !== undefined)),
    "content-type": "text/event-stream",
    "cache-control": "no-cache, no-transform",
    "x-accel-buffering": "no",
    // A connection that outlives its stream would keep a closing server waiting for it.
    connection: "close",
  });
  reply.raw.flushHeaders();
  reply.raw.socket?.setNoDelay(true);
}

/** False when the client takes nothing in, or is gone. */
async function drained(response: ServerResponse, timeoutMs: number, signal: AbortSignal): Promise<boolean> {
  try {
    await once(response, "drain", { signal: AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]) });
    return true;
  } catch (error) {
    if (error instanceof Error && error.name === "AbortError") return false;
    throw error;
  }
}
