import Anthropic, { APIConnectionError, APIError, APIUserAbortError } from "@anthropic-ai/sdk";
import { z } from "zod";
import { messageOf } from "../errors.ts";
import { ANTHROPIC_MODELS } from "./anthropic-models.ts";
import { toAnthropicRequest } from "./anthropic-request.ts";
import { AnthropicStream } from "./anthropic-stream.ts";
import { ModelError, type ModelErrorType, type ModelProvider } from "./model-provider.ts";
import { SilenceTimer } from "./silence-timer.ts";

const ErrorBody = z.object({ error: z.object({ message: z.string() }) });

/** A stream that says nothing for this long is taken for dead. The API pings about every 15 s. */
const SILENCE_TIMEOUT_MS = 90_000;

export interface AnthropicOptions {
  apiKey: string;
  /** Of an endpoint that speaks the same Messages API; null for Anthropic's own. */
  baseUrl: string | null;
  silenceTimeoutMs?: number;
}

/** Claude by the Messages API. */
export function createAnthropicProvider(options: AnthropicOptions): ModelProvider {
  const { silenceTimeoutMs = SILENCE_TIMEOUT_MS } = options;
  const client = new Anthropic({
    apiKey: options.apiKey,
    ...(options.baseUrl ? { baseURL: options.baseUrl } : {}),
    maxRetries: 0,
    logLevel: "off", // It would print what the model said.
  });
  return {
    name: "anthropic",
    models: () => ANTHROPIC_MODELS,
    async *stream(request, signal) {
      const silence = new SilenceTimer(silenceTimeoutMs);
      const either = AbortSignal.any([signal, silence.signal]);
      const answer = new AnthropicStream();
      try {
        const heard = client.withOptions({ fetch: heardFetch(() => silence.heard()) });
        const frames = await heard.messages.create(toAnthropicRequest(request), { signal: either });
        for await (const frame of frames) yield* answer.take(frame);
        // The SDK ends its iteration without an error when the signal aborts in mid-stream.
        either.throwIfAborted();
      } catch (error) {
        signal.throwIfAborted();
        if (silence.signal.aborted) throw silent(silenceTimeoutMs, error);
        throw toModelError(error);
      } finally {
        silence.stop();
      }
      const response = answer.response();
      if (!response) throw failed("The model's answer broke off.", true);
      yield { type: "response", response };
    },
  };
}

/** A fetch that tells of every piece of the body: the SDK keeps pings to itself, and a model that thinks sends nothing else. */
function heardFetch(heard: () => void): typeof fetch {
  return async (input, init) => {
    const response = await fetch(input, init);
    const listening = new TransformStream<Uint8Array, Uint8Array>({
      transform(chunk, controller) {
        heard();
        controller.enqueue(chunk);
      },
    });
    return new Response(response.body?.pipeThrough(listening) ?? null, response);
  };
}

function toModelError(error: unknown): ModelError {
  if (error instanceof ModelError) return error;
  if (error instanceof APIUserAbortError) return failed("The model request was aborted.", true, error);
  if (error instanceof APIConnectionError)
    return failed(`The model API can't be reached: ${error.message}`, true, error);
  // Anything else is a stream that is not what it should be.
  if (!(error instanceof APIError)) return failed(`The model API answered nonsense: ${messageOf(error)}`, true, error);
  return new ModelError(typeOf(error), `The model API refused the request: ${detailOf(error)}`, {
    cause: error,
    retryable: isRetryable(error),
    retryAfterMs: retryAfterMs(error),
  });
}

function failed(message: string, retryable: boolean, cause?: unknown): ModelError {
  return new ModelError("model_request_failed_error", message, { retryable, cause });
}

function silent(timeoutMs: number, cause: unknown): ModelError {
  return failed(`The model API said nothing for ${Math.round(timeoutMs / 1000)} s.`, true, cause);
}

function typeOf(error: APIError): ModelErrorType {
  if (error.status === 529 || error.type === "overloaded_error") return "model_overloaded_error";
  if (error.status === 429) return "model_rate_limited_error";
  if (error.status === 402 || error.type === "billing_error") return "billing_error";
  return "model_request_failed_error";
}

/** An error frame in mid-stream has no status; the API sends those for trouble of its own. */
function isRetryable({ status }: APIError): boolean {
  return status === undefined || status === 408 || status === 409 || status === 429 || status >= 500;
}

function retryAfterMs({ headers }: APIError): number | null {
  const seconds = Number(headers?.get("retry-after") ?? Number.NaN);
  return Number.isFinite(seconds) ? seconds * 1000 : null;
}

function detailOf(error: APIError): string {
  const body = ErrorBody.safeParse(error.error);
  const said = body.success ? body.data.error.message : error.message;
  return error.status === undefined ? said : `${error.status}, ${said}`;
}
