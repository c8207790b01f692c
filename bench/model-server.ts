/** A program: a model that plays scripts, with no delay of its own. Prints its URL, then serves until it is killed. */
import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import { setTimeout as delay } from "node:timers/promises";
import { piecesOf } from "./model-frames.ts";
import { type Answer, MessagesRequest, nextAnswer } from "./model-script.ts";
import { epochMs } from "./epoch-ms.ts";
import type { ServedRequest } from "./served-request.ts";

const REQUESTS_REMEMBERED_MAX = 10_000;

const served: ServedRequest[] = [];

const server = createServer((request, response) => {
  answer(request, response).catch((error: unknown) => {
    if (!response.headersSent) response.writeHead(500);
    response.end(String(error));
  });
});
server.listen(0, "127.0.0.1");
await once(server, "listening");
process.stdout.write(`http://127.0.0.1:${(server.address() as AddressInfo).port}\n`);
// Ends with whoever started it, however that one ends.
process.stdin.resume().once("end", () => process.exit());

async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
  if (request.method === "GET") {
    response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify(served));
    return;
  }
  const entry: ServedRequest = { receivedAt: epochMs(), answeredAt: null };
  if (served.push(entry) > REQUESTS_REMEMBERED_MAX) served.shift();
  const asked = MessagesRequest.parse(JSON.parse(await text(request)));
  const given = nextAnswer(asked);
  if (given.delay_ms) await delay(given.delay_ms);
  response.writeHead(200, { "content-type": "nonsense" in given ? "text/html" : "text/event-stream" });
  await send(response, given, piecesOf(asked.model, given));
  entry.answeredAt = epochMs();
}

async function send(response: ServerResponse, given: Answer, pieces: string[]): Promise<void> {
  const pauseMs = "say" in given ? (given.chunk_ms ?? 0) : 0;
  if (pauseMs === 0 && !("hang" in given)) {
    response.end(pieces.join(""));
    return;
  }
  for (const piece of pieces) {
    response.write(piece);
    await delay(pauseMs);
  }
  if (!("hang" in given)) response.end();
}
