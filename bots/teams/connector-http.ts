import { z } from "zod";
import { messageOf, RetryableError } from "../../src/errors.ts";
import { TeamsRefusedError } from "./teams-connector.ts";

export interface TeamsRequest {
  method: string;
  url: string;
  headers: Record<string, string>;
  body?: string;
}

export interface TeamsAnswer {
  status: number;
  headers: Headers;
  text: string;
}

export interface CallOptions {
  /** For errors: `a message`. */
  what: string;
  timeoutMs: number;
  signal: AbortSignal;
}

/** Of the caller's faults, those that pass. */
const RETRYABLE = new Set([408, 412, 429]);
const NOT_IMPLEMENTED = 501;
const MESSAGE_CHARS_MAX = 500;

/** `{"error":{"code","message"}}`, or in the case of tokens `{"error","error_description"}`. */
const ErrorBody = z.union([
  z.looseObject({ error: z.looseObject({ code: z.string().nullish(), message: z.string().nullish() }) }),
  z.looseObject({ error: z.string(), error_description: z.string().nullish() }),
]);

/**
 * One request, never repeated and never redirected: a token is in its headers.
 * @throws RetryableError for 408, 412, 429 (with its Retry-After), 5xx, timeouts and the network; TeamsRefusedError for all
 * else that is no success; the signal's reason
 */
export async function callTeams(request: TeamsRequest, { what, timeoutMs, signal }: CallOptions): Promise<TeamsAnswer> {
  const { method, url, headers, body } = request;
  let answer: Response;
  let text: string;
  try {
    answer = await fetch(url, {
      method,
      headers,
      redirect: "manual",
      signal: AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]),
      ...(body === undefined ? {} : { body }),
    });
    text = await answer.text();
  } catch (error) {
    signal.throwIfAborted();
    throw new RetryableError(`Teams can't be reached for ${what}: ${causeOf(error)}`, { cause: error });
  }
  if (answer.ok) return { status: answer.status, headers: answer.headers, text };
  const refusal = { status: answer.status, ...explanationOf(text) };
  if (!RETRYABLE.has(answer.status) && (answer.status < 500 || answer.status === NOT_IMPLEMENTED))
    throw new TeamsRefusedError(what, refusal);
  const retryAfterMs = retryAfterOf(answer.headers.get("retry-after"), Date.now());
  throw new RetryableError(`Teams did not take ${what} now: ${answer.status} ${refusal.code ?? ""}`.trim(), {
    retryAfterMs,
  });
}

/** Pure: `Retry-After` in either of its forms, in ms; null when there is none. */
export function retryAfterOf(header: string | null, nowMs: number): number | null {
  if (header === null || header.trim() === "") return null;
  const seconds = Number(header);
  const ms = Number.isFinite(seconds) ? seconds * 1000 : Date.parse(header) - nowMs;
  return Number.isFinite(ms) ? Math.max(0, ms) : null;
}

/** Pure. */
function explanationOf(text: string): { code: string | null; message: string } {
  const body = ErrorBody.safeParse(parsedJson(text)).data;
  if (!body) return { code: null, message: text.slice(0, MESSAGE_CHARS_MAX) };
  const { error } = body;
  if (typeof error === "object") {
    return { code: error.code ?? null, message: (error.message ?? "").slice(0, MESSAGE_CHARS_MAX) };
  }
  const { error_description: description } = body;
  return { code: error, message: typeof description === "string" ? description.slice(0, MESSAGE_CHARS_MAX) : "" };
}

function parsedJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

/** `fetch failed` says nothing; its cause does. */
function causeOf(error: unknown): string {
  return error instanceof Error && error.cause instanceof Error ? error.cause.message : messageOf(error);
}
