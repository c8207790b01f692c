import { z } from "zod";
import { OversizedFrameError, readFrames } from "../models/openai-compatible-frames.ts";
import type { McpProbeReport } from "../schemas/credential-validation.ts";
import type { Secret } from "../secrets/secret.ts";
import { readText, RecordedAnswer } from "./captured-response.ts";
import { type CheckedFetch, NotAnsweredError, type OutboundAnswer } from "./checked-fetch.ts";

export type ProbeResult =
  | { type: "accepted" }
  /** 401: another token may be taken. */
  | { type: "unauthorized"; report: McpProbeReport }
  /** 403: the token is known, and may not. */
  | { type: "forbidden"; report: McpProbeReport }
  /** Nothing that says anything about the token. */
  | { type: "unclear"; report: McpProbeReport };

const STEP_TIMEOUT_MS = 15_000;
const GOODBYE_TIMEOUT_MS = 3_000;
const PROTOCOL_VERSION = "2025-06-18";
const METHOD_NOT_FOUND = -32601;

const Reply = z.object({
  jsonrpc: z.literal("2.0"),
  id: z.number(),
  result: z.record(z.string(), z.unknown()).optional(),
  error: z.object({ code: z.number() }).optional(),
});
type Reply = z.infer<typeof Reply>;

interface Step {
  method: string;
  /** Absent for a notification. */
  id?: number;
  params?: Record<string, unknown>;
  isGood(reply: Reply | null): boolean;
}

const INITIALIZE: Step = {
  method: "initialize",
  id: 1,
  params: {
    protocolVersion: PROTOCOL_VERSION,
    capabilities: {},
    clientInfo: { name: "deckhand", version: "1" },
  },
  isGood: (reply) => typeof reply?.result?.["protocolVersion"] === "string",
};

const INITIALIZED: Step = { method: "notifications/initialized", isGood: () => true };

const LIST_TOOLS: Step = {
  method: "tools/list",
  id: 2,
  params: {},
  // A server without tools took the token too.
  isGood: (reply) => reply?.result !== undefined || reply?.error?.code === METHOD_NOT_FOUND,
};

/**
 * Asks an MCP server, over streamable HTTP, for its tools with this token, as a session would. Never rejects for what the
 * server does; each of its three requests may take 15 s.
 */
export async function probeMcpServer(fetch: CheckedFetch, url: string, token: Secret): Promise<ProbeResult> {
  const headers: Record<string, string> = { authorization: `Bearer ${token.reveal()}` };
  try {
    for (const step of [INITIALIZE, INITIALIZED, LIST_TOOLS]) {
      const result = await take(fetch, url, headers, step, token);
      if (result.type !== "passed") return result;
      if (step === INITIALIZE) Object.assign(headers, sessionHeaders(result.answer, result.reply));
    }
    return { type: "accepted" };
  } finally {
    if (headers["mcp-session-id"] !== undefined) await sayGoodbye(fetch, url, headers);
  }
}

type Taken =
  | { type: "passed"; answer: OutboundAnswer; reply: Reply | null }
  | Exclude<ProbeResult, { type: "accepted" }>;

async function take(
  fetch: CheckedFetch,
  url: string,
  headers: Readonly<Record<string, string>>,
  { method, id, params, isGood }: Step,
  token: Secret,
): Promise<Taken> {
  let recorded: RecordedAnswer | null = null;
  try {
    const answer = await fetch(
      {
        method: "POST",
        url,
        headers: { ...headers, accept: "application/json, text/event-stream", "content-type": "application/json" },
        body: JSON.stringify({ jsonrpc: "2.0", id, method, params }),
      },
      AbortSignal.timeout(STEP_TIMEOUT_MS),
    );
    recorded = new RecordedAnswer(answer);
    const isOk = answer.status >= 200 && answer.status < 300;
    const reply = isOk && id !== undefined ? await readReply(answer, recorded, id) : null;
    if (isOk && isGood(reply)) return { type: "passed", answer, reply };
    return { type: typeOf(answer.status), report: { method, http_response: await recorded.capture([token]) } };
  } catch (error) {
    if (!isServersFault(error)) throw error;
    // No connection, or an answer that broke off: its beginning is not what the server wanted to say.
    return { type: "unclear", report: { method, http_response: null } };
  } finally {
    recorded?.end();
  }
}

const isServersFault = (error: unknown) =>
  error instanceof NotAnsweredError ||
  error instanceof OversizedFrameError ||
  (error instanceof DOMException && error.name === "TimeoutError");

function typeOf(status: number): "unauthorized" | "forbidden" | "unclear" {
  if (status === 401) return "unauthorized";
  return status === 403 ? "forbidden" : "unclear";
}

/** The reply to a request, as JSON or in a stream of events; null when the answer is something else. */
async function readReply(answer: OutboundAnswer, { body }: RecordedAnswer, id: number): Promise<Reply | null> {
  if (!answer.contentType.toLowerCase().startsWith("text/event-stream")) return replyIn(await readText(body), id);
  for await (const data of readFrames(body, () => undefined)) {
    const reply = replyIn(data, id);
    if (reply) return reply;
  }
  return null;
}

function replyIn(text: string, id: number): Reply | null {
  try {
    const parsed = Reply.safeParse(JSON.parse(text));
    return parsed.success && parsed.data.id === id ? parsed.data : null;
  } catch {
    return null;
  }
}

function sessionHeaders(answer: OutboundAnswer, reply: Reply | null): Record<string, string> {
  const version = reply?.result?.["protocolVersion"];
  const session = answer.header("mcp-session-id");
  return {
    ...(typeof version === "string" ? { "mcp-protocol-version": version } : {}),
    ...(session ? { "mcp-session-id": session } : {}),
  };
}

/** Servers may keep what belongs to a session until they are told that it is over. */
async function sayGoodbye(fetch: CheckedFetch, url: string, headers: Readonly<Record<string, string>>): Promise<void> {
  try {
    const answer = await fetch({ method: "DELETE", url, headers }, AbortSignal.timeout(GOODBYE_TIMEOUT_MS));
    answer.end();
  } catch (error) {
    if (!isServersFault(error)) throw error;
    // Then it keeps it for as long as it likes.
  }
}
