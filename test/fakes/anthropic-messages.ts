import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { json } from "node:stream/consumers";
import { parseArgs } from "node:util";
import type { Answer, Gate, RefusedAnswer, StreamedAnswer } from "./messages-answer.ts";
import { frame, framesOf, toWire } from "./messages-frames.ts";
import { MessagesRequest, refusalOf } from "./messages-request.ts";
import { runScript } from "./run-script.ts";

export interface MessagesApi {
  /** What `ANTHROPIC_BASE_URL` takes. */
  readonly url: string;
  readonly apiKey: string;
  /** Good requests in order. */
  readonly requests: readonly MessagesRequest[];
  /** Why bad requests were refused. A test that ends with any has found a bug. */
  readonly violations: readonly string[];
  /** Answers to come, before the script is asked. */
  queue(...answers: Answer[]): void;
  /** Resolves when that many good requests have come in. */
  received(count: number): Promise<void>;
  /** Requests whose connection the client closed before the answer was complete. */
  readonly abandoned: number;
  /** Also cuts what is being answered. */
  close(): Promise<void>;
}

export interface MessagesApiOptions {
  port?: number;
  apiKey?: string;
  /** Asked when the queue is empty. `index` counts good requests from 0. */
  script?: (request: MessagesRequest, index: number) => Answer;
}

const VERSIONS = ["2023-06-01", "2026-10-21"];
const ERROR_TYPES: Record<number, string> = {
  400: "invalid_request_error",
  401: "authentication_error",
  402: "billing_error",
  403: "permission_error",
  404: "not_found_error",
  413: "request_too_large",
  429: "rate_limit_error",
  500: "api_error",
  529: "overloaded_error",
};

/** The Anthropic Messages API at the edge of the world: real HTTP, strict about requests, told what to answer. */
export async function startMessagesApi(options: MessagesApiOptions = {}): Promise<MessagesApi> {
  const { port = 0, apiKey = "sk-test-key", script = runScript } = options;
  const queue: Answer[] = [];
  const requests: MessagesRequest[] = [];
  const violations: string[] = [];
  const thinkingIssued = new Map<string, string>();
  const waiting: (() => void)[] = [];
  let abandoned = 0;

  const server = createServer((incoming, response) => {
    response.on("close", () => {
      if (!response.writableFinished) abandoned += 1;
    });
    answer(incoming, response).catch((error: unknown) =>
      response.destroy(new Error("the fake failed", { cause: error })),
    );
  });

  async function answer(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
    if (incoming.url === "/_fake/requests") return sendJson(response, 200, { requests, violations });
    const body = await json(incoming).catch(() => undefined);
    const refused = refusalOfHeaders(incoming, apiKey) ?? refusalOfBody(body);
    if (refused) return refuse(response, refused);
    const request = MessagesRequest.parse(body);
    requests.push(request);
    for (const wake of waiting.splice(0)) wake();
    const next = queue.shift() ?? script(request, requests.length - 1);
    if (next.before) await pass(next.before);
    if ("status" in next) return refuse(response, next);
    for (const block of next.content)
      if (block.type === "thinking") thinkingIssued.set(block.signature, block.thinking);
    return stream(response, next, request.model);
  }

  function refusalOfBody(body: unknown): RefusedAnswer | null {
    const message = refusalOf(body, thinkingIssued);
    if (message === null) return null;
    violations.push(message);
    return { status: 400, message };
  }

  server.listen(port, "127.0.0.1");
  await once(server, "listening");
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    apiKey,
    requests,
    violations,
    queue: (...answers) => void queue.push(...answers),
    async received(count) {
      while (requests.length < count) await new Promise<void>((resolve) => waiting.push(resolve));
    },
    get abandoned() {
      return abandoned;
    },
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}

function refusalOfHeaders({ headers, method, url }: IncomingMessage, apiKey: string): RefusedAnswer | null {
  if (method !== "POST" || url !== "/v1/messages") return { status: 404, message: `no ${method} ${url}` };
  const given = headers["x-api-key"] ?? headers.authorization?.replace(/^Bearer /, "");
  if (given !== apiKey) return { status: 401, message: "invalid x-api-key" };
  const version = headers["anthropic-version"];
  if (typeof version !== "string" || !VERSIONS.includes(version)) {
    return { status: 400, message: "anthropic-version: header is required" };
  }
  return null;
}

async function stream(response: ServerResponse, answer: StreamedAnswer, model: string): Promise<void> {
  const frames = framesOf(answer, model);
  const half = Math.ceil(frames.length / 2);
  response.writeHead(200, { "content-type": "text/event-stream; charset=utf-8", "cache-control": "no-cache" });
  for (const part of frames.slice(0, half)) response.write(toWire(part));
  if (answer.middle) await holdWithPings(response, answer.middle, answer.pingEveryMs);
  switch (answer.ending ?? "complete") {
    case "complete":
      for (const part of frames.slice(half)) response.write(toWire(part));
      response.end();
      return;
    case "cut":
      // The half that was written must be out before the connection goes.
      response.write(": cut\n\n", () => response.destroy());
      return;
    case "error_frame":
      response.end(toWire(frame("error", { error: { type: "overloaded_error", message: "Overloaded" } })));
      return;
    case "broken_json":
      response.end('event: content_block_delta\ndata: {"type": "content_block_delta", "ind\n\n');
      return;
    case "silence":
  }
}

async function holdWithPings(response: ServerResponse, held: Gate, everyMs: number | undefined): Promise<void> {
  const timer = everyMs === undefined ? null : setInterval(() => response.write(toWire(frame("ping", {}))), everyMs);
  await pass(held);
  if (timer) clearInterval(timer);
}

function pass(held: Gate): Promise<void> {
  held.reach();
  return held.opened;
}

function refuse(
  response: ServerResponse,
  { status, message = `refused with ${status}`, headers }: RefusedAnswer,
): void {
  const error = { type: ERROR_TYPES[status] ?? "api_error", message };
  sendJson(response, status, { type: "error", error, request_id: "req_fake" }, headers);
}

function sendJson(response: ServerResponse, status: number, body: unknown, headers: Record<string, string> = {}): void {
  response.writeHead(status, { "content-type": "application/json", ...headers });
  response.end(JSON.stringify(body));
}

/** `node test/fakes/anthropic-messages.ts [--port N] [--api-key KEY]`: prints `{"url":…}` once it listens. */
async function main(): Promise<void> {
  const { values } = parseArgs({ options: { port: { type: "string" }, "api-key": { type: "string" } } });
  const api = await startMessagesApi({
    port: Number(values.port ?? 0),
    ...(values["api-key"] !== undefined && { apiKey: values["api-key"] }),
  });
  process.stdout.write(`${JSON.stringify({ url: api.url })}\n`);
}

if (import.meta.main) await main();
