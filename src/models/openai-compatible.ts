import { messageOf } from "../errors.ts";
import type { Secret } from "../secrets/secret.ts";
import { ModelError, type ModelInfo, type ModelProvider, type ModelRequest } from "./model-provider.ts";
import { refusalIn, refused } from "./openai-compatible-error.ts";
import { OversizedFrameError, readFrames } from "./openai-compatible-frames.ts";
import { toChatRequest } from "./openai-compatible-request.ts";
import { ChatChunk, ChatStream } from "./openai-compatible-stream.ts";
import { SilenceTimer } from "./silence-timer.ts";

/**
 * A stream that says nothing for this long is taken for dead. Nobody pings, and a model that is being loaded or reads a
 * long prompt says nothing for minutes. Fetch itself gives up after 300 s.
 */
const SILENCE_TIMEOUT_MS = 280_000;
const ERROR_BODY_BYTES_MAX = 64 * 1024;
const DONE = "[DONE]";

export interface OpenAiCompatibleOptions {
  /** What `/chat/completions` is below, such as `http://ollama:11434/v1`. */
  baseUrl: string;
  /** Null for a server that asks for none. */
  apiKey: Secret | null;
  /** What the server has, newest first. */
  models: readonly ModelInfo[];
  silenceTimeoutMs?: number;
}

/**
 * Any server that speaks OpenAI's chat completions: vLLM, Ollama, LiteLLM, OpenAI. Nothing is sent anywhere but to
 * `baseUrl`: a redirect is an error.
 */
export function createOpenAiCompatibleProvider(options: OpenAiCompatibleOptions): ModelProvider {
  const { models, silenceTimeoutMs = SILENCE_TIMEOUT_MS } = options;
  return {
    name: "openai-compatible",
    models: () => models,
    async *stream(request, signal) {
      const silence = new SilenceTimer(silenceTimeoutMs);
      const either = AbortSignal.any([signal, silence.signal]);
      const answer = new ChatStream();
      try {
        const body = await post(options, request, either);
        for await (const frame of readFrames(body, () => silence.heard())) {
          if (frame === DONE) break;
          yield* answer.take(parseChunk(frame, request.model));
        }
        either.throwIfAborted();
      } catch (error) {
        signal.throwIfAborted();
        if (silence.signal.aborted) throw silent(silenceTimeoutMs, error);
        throw withoutKey(toModelError(error), options.apiKey);
      } finally {
        silence.stop();
      }
      const response = answer.response();
      if (!response) throw failed("The model's answer broke off.");
      yield { type: "response", response };
    },
  };
}

/** @throws ModelError for whatever is no stream of events */
async function post(
  { baseUrl, apiKey }: OpenAiCompatibleOptions,
  request: ModelRequest,
  signal: AbortSignal,
): Promise<AsyncIterable<Uint8Array>> {
  const response = await fetch(`${baseUrl.replace(/\/+$/, "")}/chat/completions`, {
    method: "POST",
    headers: {
      "content-type": "application/json",
      accept: "text/event-stream",
      ...(apiKey && { authorization: `Bearer ${apiKey.reveal()}` }),
    },
    body: JSON.stringify(toChatRequest(request)),
    redirect: "error",
    signal,
  });
  const { body, headers, ok, status } = response;
  if (!ok) {
    const refusal = refusalIn(parseJson(await readStart(body)), status);
    throw refused(refusal ?? { status, code: null, message: null }, request.model, retryAfterMs(headers));
  }
  if (body && /^text\/event-stream\b/i.test(headers.get("content-type") ?? "")) return body;
  await body?.cancel();
  throw failed(`The model API answered nonsense: ${headers.get("content-type") ?? "no content type"}, not a stream.`);
}

/** As much of an error's body as an error needs. */
async function readStart(body: AsyncIterable<Uint8Array> | null): Promise<string> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of body ?? []) {
    chunks.push(chunk);
    size += chunk.length;
    if (size >= ERROR_BODY_BYTES_MAX) break;
  }
  return Buffer.concat(chunks).toString("utf8");
}

function parseChunk(frame: string, model: string): ChatChunk {
  const json = parseJson(frame);
  // What the model said stays out of the error.
  if (json === undefined) throw failed("The model API answered nonsense: a frame that is not JSON.");
  const chunk = ChatChunk.safeParse(json);
  if (chunk.success) return chunk.data;
  const refusal = refusalIn(json, null);
  if (refusal) throw refused(refusal, model);
  const where = chunk.error.issues[0]?.path.join(".");
  throw failed(`The model API answered nonsense: a frame with a wrong ${where || "shape"}.`);
}

/** Undefined for what is not JSON. */
function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function retryAfterMs(headers: Headers): number | null {
  const seconds = Number(headers.get("retry-after") ?? Number.NaN);
  return Number.isFinite(seconds) && seconds >= 0 ? seconds * 1000 : null;
}

function toModelError(error: unknown): ModelError {
  if (error instanceof ModelError) return error;
  if (error instanceof OversizedFrameError) return failed(`The model API answered nonsense: ${error.message}.`, error);
  const cause = error instanceof Error && error.cause !== undefined ? `: ${messageOf(error.cause)}` : "";
  return failed(`The model API can't be reached: ${messageOf(error)}${cause}`, error);
}

function failed(message: string, cause?: unknown): ModelError {
  return new ModelError("model_request_failed_error", message, { retryable: true, cause });
}

function silent(timeoutMs: number, cause: unknown): ModelError {
  return failed(`The model API said nothing for ${Math.round(timeoutMs / 1000)} s.`, cause);
}

/** Some servers repeat the key that they refuse. */
function withoutKey(error: ModelError, apiKey: Secret | null): ModelError {
  if (!apiKey || !error.message.includes(apiKey.reveal())) return error;
  const { type, retryable, retryAfterMs: afterMs } = error;
  const message = error.message.replaceAll(apiKey.reveal(), String(apiKey));
  return new ModelError(type, message, { retryable, retryAfterMs: afterMs });
}
