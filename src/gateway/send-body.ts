import { once } from "node:events";
import type { ClientRequest, IncomingMessage, ServerResponse } from "node:http";
import type { BodySubstitution } from "./substitute-body.ts";

/**
 * Passes a request's body on, no faster than the server takes it. Ends early and without an error when the server is gone:
 * it may have answered already.
 * @param count hears of bytes before they are passed on
 */
export async function sendBody(
  request: IncomingMessage,
  upstream: ClientRequest,
  substitution: BodySubstitution | null,
  count: (bytes: number) => void,
): Promise<void> {
  for await (const chunk of chunksOf(request)) {
    const bytes = substitution ? substitution.push(chunk) : chunk;
    count(bytes.length);
    if (upstream.destroyed) return;
    if (bytes.length > 0 && !upstream.write(bytes)) await drained(upstream);
  }
  upstream.end(substitution?.end());
}

/** The whole body. For small ones. */
export async function readBody(request: IncomingMessage, substitution: BodySubstitution): Promise<Buffer> {
  const parts: Buffer[] = [];
  for await (const chunk of chunksOf(request)) parts.push(substitution.push(chunk));
  return Buffer.concat([...parts, substitution.end()]);
}

/** Room to write again, or nobody to write to any more. */
export async function drained(stream: ClientRequest | ServerResponse): Promise<void> {
  if (stream.destroyed || !stream.writableNeedDrain) return;
  const settled = new AbortController();
  const options = { signal: settled.signal };
  try {
    await Promise.race([once(stream, "drain", options), once(stream, "close", options)]);
  } finally {
    settled.abort();
  }
}

/** Who stops reading early does not end the connection: there is an answer to be sent on it. */
const chunksOf = (request: IncomingMessage): AsyncIterable<Buffer> => request.iterator({ destroyOnReturn: false });
