/**
 * An MCP server over streamable HTTP, as its specification of 2025-06-18 has it: a session begins with `initialize`, is
 * named in every later request together with the protocol's version, and ends with DELETE.
 */
import { randomUUID } from "node:crypto";
import type { ServerResponse } from "node:http";
import { z } from "zod";
import { type HttpAnswer, type HttpRequest, json, listenOnLoopback } from "./loopback-http.ts";

export interface FakeMcpOptions {
  accepts(token: string): boolean;
  answers?: "json" | "sse";
  hasTools?: boolean;
}

const VERSION = "2025-06-18";
const ACCEPT = "application/json, text/event-stream";

const Message = z.object({ jsonrpc: z.literal("2.0"), id: z.number().optional(), method: z.string() });
type Message = z.infer<typeof Message>;

export type FakeMcp = Awaited<ReturnType<typeof startFakeMcp>>;

export async function startFakeMcp({ accepts, answers = "json", hasTools = true }: FakeMcpOptions) {
  const sessions = new Map<string, { initialized: boolean }>();
  const calls: string[] = [];
  const planned = new Map<string, (request: HttpRequest) => HttpAnswer | null>();

  const resultOf = (message: Message, session: { initialized: boolean } | undefined): Record<string, unknown> => {
    if (message.method === "initialize") {
      const serverInfo = { name: "fake", version: "1" };
      return { result: { protocolVersion: VERSION, capabilities: hasTools ? { tools: {} } : {}, serverInfo } };
    }
    if (!session?.initialized) return { error: { code: -32002, message: "not initialized" } };
    if (message.method !== "tools/list" || !hasTools) return { error: { code: -32601, message: "no such method" } };
    return { result: { tools: [{ name: "search", inputSchema: { type: "object" } }] } };
  };

  const post = (request: HttpRequest, response: ServerResponse, message: Message): HttpAnswer | null => {
    const headers: Record<string, string> = {};
    const id = request.headers["mcp-session-id"];
    const session = typeof id === "string" ? sessions.get(id) : undefined;
    if (message.method === "initialize") {
      headers["mcp-session-id"] = randomUUID();
      sessions.set(headers["mcp-session-id"], { initialized: false });
    } else {
      if (!session) return json(id === undefined ? 400 : 404, { error: "no such session" });
      if (request.headers["mcp-protocol-version"] !== VERSION) return json(400, { error: "no protocol version" });
    }
    if (message.id === undefined) {
      if (message.method === "notifications/initialized" && session) session.initialized = true;
      return { status: 202 };
    }
    const reply = { jsonrpc: "2.0", id: message.id, ...resultOf(message, session) };
    if (answers === "json") return json(200, reply, headers);
    stream(response, headers, reply);
    return null;
  };

  const server = await listenOnLoopback(async (request, response) => {
    const message = Message.safeParse(request.body === "" ? null : JSON.parse(request.body)).data ?? null;
    const call = message?.method ?? request.method;
    calls.push(call);
    const plan = planned.get(call);
    if (plan) return plan(request);
    if (!accepts(request.headers.authorization?.replace(/^Bearer /, "") ?? "")) {
      return json(401, { error: "invalid_token" }, { "www-authenticate": 'Bearer error="invalid_token"' });
    }
    if (request.method === "DELETE")
      return { status: sessions.delete(String(request.headers["mcp-session-id"])) ? 204 : 404 };
    if (request.headers.accept !== ACCEPT || !message) return json(406, { error: "not acceptable" });
    return post(request, response, message);
  });

  return {
    url: `${server.origin}/mcp`,
    calls,
    /** Those that were begun and not ended. */
    sessions,
    /** From now on, for this method. */
    answer: (method: string, plan: (request: HttpRequest) => HttpAnswer | null) => planned.set(method, plan),
    close: server.close,
  };
}

/** With what else may come on a stream, and left open, as servers may do. */
function stream(response: ServerResponse, headers: Record<string, string>, reply: unknown): void {
  response.writeHead(200, { "content-type": "text/event-stream", ...headers });
  const notice = { jsonrpc: "2.0", method: "notifications/message", params: { level: "info", data: "hello" } };
  const text = JSON.stringify(reply);
  const middle = Math.floor(text.length / 2);
  response.write(`id: 0\ndata:\n\n: ping\n\nevent: message\ndata: ${JSON.stringify(notice)}\n\nevent: message\ndata: `);
  response.write(text.slice(0, middle));
  setImmediate(() => response.write(`${text.slice(middle)}\n\n`));
}
