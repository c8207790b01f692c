import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { json } from "node:stream/consumers";
import type { Answer, Gate, RefusedAnswer, StreamedAnswer } from "./messages-answer.ts";
import { type CallHabit, chunksOf } from "./openai-chat-chunks.ts";
import { ChatRequest, refusalOfChat } from "./openai-chat-request.ts";

/** An answer as the Messages fake has them, or bytes of one's own. */
export type ChatAnswer =
  | (Answer & { habit?: CallHabit })
  | { body: string; contentType?: string; status?: number; location?: string };

export interface ChatApi {
  /** What `OPENAI_BASE_URL` takes. */
  readonly url: string;
  readonly apiKey: string;
  /** Good requests in order. */
  readonly requests: readonly ChatRequest[];
  /** Why bad requests were refused. A test that ends with any has found a bug. */
  readonly violations: readonly string[];
  /** Answers to come. */
  queue(...answers: ChatAnswer[]): void;
  /** Requests whose connection the client closed before the answer was complete. */
  readonly abandoned: number;
  /** Also cuts what is being answered. */
  close(): Promise<void>;
}

export interface ChatApiOptions {
  /** Null for a server that asks for none, and takes none. */
  apiKey?: string | null;
  /** The models it has; any, when absent. */
  models?: readonly string[];
}

/** Chat completions at the edge of the world: real HTTP, strict about requests, told what to answer. */
export async function startChatApi(options: ChatApiOptions = {}): Promise<ChatApi> {
  const { apiKey = "sk-test-chat-key", models } = options;
  const queue: ChatAnswer[] = [];
  const requests: ChatRequest[] = [];
  const violations: string[] = [];
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
    const body = await json(incoming).catch(() => undefined);
    const refused = refusalOfHeaders(incoming, apiKey) ?? refusalOfBody(body);
    if (refused) return refuse(response, refused);
    const request = ChatRequest.parse(body);
    requests.push(request);
    if (models?.includes(request.model) === false) {
      return refuse(response, { status: 404, message: `The model \`${request.model}\` does not exist.` });
    }
    const next = queue.shift() ?? { status: 500, message: "the test gave no answer" };
    if ("body" in next) return sendBody(response, next);
    if (next.before) await pass(next.before);
    return "content" in next ? stream(response, next, request.model) : refuse(response, next);
  }

  function refusalOfBody(body: unknown): RefusedAnswer | null {
    const message = refusalOfChat(body);
    if (message === null) return null;
    violations.push(message);
    return { status: 400, message };
  }

  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`,
    apiKey: apiKey ?? "",
    requests,
    violations,
    queue: (...answers) => void queue.push(...answers),
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

function refusalOfHeaders({ headers, method, url }: IncomingMessage, apiKey: string | null): RefusedAnswer | null {
  if (method !== "POST" || url !== "/v1/chat/completions") return { status: 404, message: `no ${method} ${url}` };
  if (headers["content-type"] !== "application/json") return { status: 415, message: "not JSON" };
  const given = headers.authorization ?? null;
  if (given === (apiKey === null ? null : `Bearer ${apiKey}`)) return null;
  return { status: 401, message: `Incorrect API key provided: ${given}` };
}

async function stream(
  response: ServerResponse,
  answer: StreamedAnswer & { habit?: CallHabit },
  model: string,
): Promise<void> {
  const chunks = chunksOf(answer, model, answer.habit).map(toWire);
  const half = Math.ceil(chunks.length / 2);
  response.writeHead(200, { "content-type": "text/event-stream; charset=utf-8", "cache-control": "no-cache" });
  for (const chunk of chunks.slice(0, half)) response.write(chunk);
  if (answer.middle) await holdWithComments(response, answer.middle, answer.pingEveryMs);
  switch (answer.ending ?? "complete") {
    case "complete":
      for (const chunk of chunks.slice(half)) response.write(chunk);
      response.end("data: [DONE]\n\n");
      return;
    case "cut":
      // The half that was written must be out before the connection goes.
      response.write(": cut\n\n", () => response.destroy());
      return;
    case "error_frame":
      response.end(toWire({ error: { message: "Overloaded", type: "ServiceUnavailableError", code: 503 } }));
      return;
    case "broken_json":
      response.end('data: {"choices": [{"index": 0, "del\n\n');
      return;
    case "silence":
  }
}

/** What stands before a server may send comments to keep a connection open. */
async function holdWithComments(response: ServerResponse, held: Gate, everyMs: number | undefined): Promise<void> {
  const timer = everyMs === undefined ? null : setInterval(() => response.write(": keep-alive\n\n"), everyMs);
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
  const body = JSON.stringify({ error: { message, type: "error", param: null, code: null } });
  response.writeHead(status, { "content-type": "application/json", ...headers });
  response.end(body);
}

function sendBody(
  response: ServerResponse,
  { body, contentType = "text/event-stream", status = 200, location }: Extract<ChatAnswer, { body: string }>,
): void {
  response.writeHead(status, { "content-type": contentType, ...(location !== undefined && { location }) });
  response.end(body);
}

const toWire = (data: object): string => `data: ${JSON.stringify(data)}\n\n`;
