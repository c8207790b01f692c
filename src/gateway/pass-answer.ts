import type { IncomingMessage, ServerResponse } from "node:http";
import { decodeBody, isEncoded, UnreadableEncodingError } from "./decode-body.ts";
import { endToEnd, headerList } from "./header-list.ts";
import { scrubHeaders } from "./scrub-headers.ts";
import type { Scrubber } from "./scrub.ts";
import { drained } from "./send-body.ts";

/** Only the gateway says that something was denied. */
const OURS = "x-deckhand-denied";
const WITHOUT_BODY = [204, 304];
const UNPRINTABLE = /[^\t\x20-\x7e\x80-\xff]/g;

/**
 * Passes a server's answer on without the secrets in it, as it comes in and no faster than the sandbox takes it.
 * @param count hears of bytes before they are passed on
 * @throws UnreadableEncodingError before anything is passed on, and later when a body turns out to be malicious
 */
export async function passAnswer(
  answer: IncomingMessage,
  response: ServerResponse,
  scrubber: Scrubber,
  count: (bytes: number) => void,
): Promise<void> {
  assertReadable(answer);
  const encoding = answer.headers["content-encoding"];
  const hasBody = response.req.method !== "HEAD" && !WITHOUT_BODY.includes(answer.statusCode ?? 0);
  // What was encoded has another length when it is decoded.
  const dropped = isEncoded(encoding) ? [OURS, "content-encoding", "content-length"] : [OURS];
  const body = hasBody && encoding !== undefined && isEncoded(encoding) ? decodeBody(answer, encoding) : answer;
  const headers = scrubHeaders(endToEnd(headerList(answer.rawHeaders), dropped), scrubber);
  const statusText = scrubber.text(answer.statusMessage ?? "").replaceAll(UNPRINTABLE, "?");
  count(headers.reduce((sum, [name, value]) => sum + name.length + value.length, 0));
  response.sendDate = false;
  response.writeHead(answer.statusCode ?? 502, statusText, headers.flat());
  gatherWrites(response);
  response.flushHeaders();

  const scrubbed = scrubber.stream();
  for await (const chunk of body) {
    const bytes = scrubbed.push(chunk);
    count(bytes.length);
    if (response.destroyed) return;
    if (bytes.length > 0 && !response.write(bytes)) await drained(response);
  }
  const rest = scrubbed.end();
  if (rest.length > 0) response.write(rest);
  if (answer.rawTrailers.length > 0) {
    const trailers = scrubHeaders(endToEnd(headerList(answer.rawTrailers), [OURS]), scrubber);
    response.addTrailers(trailers.map(([name, value]): [string, string] => [name, value]));
  }
  response.end();
}

/** Servers may compress what they transfer, and not only what they send. Nobody is asked to. */
function assertReadable({ headers }: IncomingMessage): void {
  if (["", "chunked", "identity"].includes((headers["transfer-encoding"] ?? "").trim().toLowerCase())) return;
  throw new UnreadableEncodingError("The answer has a transfer encoding that the gateway can't look into.");
}

/** What has come together goes on together, headers and body; what comes later is not waited for. */
function gatherWrites({ socket }: ServerResponse): void {
  // The response's own cork loses the chunks of a body that ends before it is opened.
  socket?.cork();
  setImmediate(() => socket?.uncork());
}
