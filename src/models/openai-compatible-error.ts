import { z } from "zod";
import { ModelError, type ModelErrorType } from "./model-provider.ts";

/** Why a server refused, in a status or in the midst of a stream. */
export interface Refusal {
  /** Null where only a frame says so, without a number. */
  status: number | null;
  /** The server's own word for it, such as `context_length_exceeded`. */
  code: string | null;
  message: string | null;
}

const Code = z.union([z.string(), z.number()]).nullish();
const ErrorObject = z.object({ message: z.string(), code: Code, type: z.string().nullish() });
/** OpenAI, LiteLLM, Ollama and vLLM wrap it; older vLLM does not, and what stands before it has other habits. */
const ErrorBody = z.union([
  z.object({ error: ErrorObject }).transform(({ error }) => error),
  z.object({ error: z.string() }).transform(({ error }) => ({ message: error, code: null, type: null })),
  z.object({ detail: z.string() }).transform(({ detail }) => ({ message: detail, code: null, type: null })),
  ErrorObject,
]);

const MESSAGE_CHARS_MAX = 500;
const CONTEXT_FULL = "context_length_exceeded";
const QUOTA_USED_UP = "insufficient_quota";

/** What a body says of an error; null when it says nothing of one. */
export function refusalIn(body: unknown, status: number | null): Refusal | null {
  const parsed = ErrorBody.safeParse(body);
  if (!parsed.success) return null;
  const { message, code, type } = parsed.data;
  const named = typeof code === "string" && !/^\d+$/.test(code) ? code : (type ?? null);
  const numbered = Number(code ?? Number.NaN);
  return {
    status: status ?? (numbered >= 400 && numbered <= 599 ? numbered : null),
    code: named,
    message: message.slice(0, MESSAGE_CHARS_MAX),
  };
}

/** @param model is named where the server does not know it */
export function refused(refusal: Refusal, model: string, retryAfterMs: number | null = null): ModelError {
  const said = [refusal.status, refusal.message ?? "without a reason"].filter((part) => part !== null).join(", ");
  const advice = adviceFor(refusal, model);
  return new ModelError(typeOf(refusal), `The model API refused the request: ${said}${advice ? `\n${advice}` : ""}`, {
    retryable: isRetryable(refusal),
    retryAfterMs,
  });
}

function typeOf({ status, code }: Refusal): ModelErrorType {
  if (status === 402 || code === QUOTA_USED_UP) return "billing_error";
  if (status === 429) return "model_rate_limited_error";
  if (status === 503 || status === 529) return "model_overloaded_error";
  return "model_request_failed_error";
}

/** A frame in mid-stream that names no status tells of the server's own trouble. */
function isRetryable({ status, code }: Refusal): boolean {
  if (code === QUOTA_USED_UP || code === CONTEXT_FULL) return false;
  return status === null || status === 408 || status === 409 || status === 429 || status >= 500;
}

function adviceFor({ status, code, message }: Refusal, model: string): string | null {
  if (status === 401 || status === 403) return "OPENAI_API_KEY is missing, wrong, or may not use this model.";
  if (status === 404) return `Look whether OPENAI_BASE_URL serves ${model}: its /models lists what it does.`;
  if (code === CONTEXT_FULL || (status === 400 && /context (length|window|size)/i.test(message ?? "")))
    return `Give ${model} the size of its context in OPENAI_MODELS, so that it is never filled.`;
  return null;
}
