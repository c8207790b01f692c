import type { ModelUsage } from "../schemas/event.ts";
import type { ModelPrice } from "./model-price.ts";

export interface ModelTool {
  name: string;
  description: string;
  /** JSON Schema of the input. */
  inputSchema: Record<string, unknown>;
}

export type ModelContent =
  | { type: "text"; text: string }
  | { type: "image"; mediaType: string; data: string }
  | { type: "document"; mediaType: string; data: string; title?: string };

export type ModelToolUse = { type: "tool_use"; id: string; name: string; input: unknown };
/** Opaque to us, but must go back to the provider unchanged within a tool-use exchange. */
export type ModelThinking = { type: "thinking"; opaque: unknown };

export type ModelMessage =
  | {
      role: "user";
      content: (ModelContent | { type: "tool_result"; toolUseId: string; content: ModelContent[]; isError: boolean })[];
    }
  | { role: "assistant"; content: ({ type: "text"; text: string } | ModelToolUse | ModelThinking)[] };

export interface ModelRequest {
  model: string;
  effort: string;
  system: string | null;
  messages: ModelMessage[];
  tools: ModelTool[];
  maxTokens: number;
}

export interface ModelResponse {
  content: ({ type: "text"; text: string } | ModelToolUse | ModelThinking)[];
  stopReason: "end_turn" | "tool_use" | "max_tokens" | "refusal";
  usage: ModelUsage;
}

export type ModelStreamEvent =
  | { type: "thinking" }
  /** `index` counts text blocks of this response only, from 0. */
  | { type: "text"; index: number; text: string }
  /** Always the last one. */
  | { type: "response"; response: ModelResponse };

export interface ModelInfo {
  id: string;
  displayName: string;
  createdAt: string;
  contextWindowTokens: number;
  maxOutputTokens: number;
  /** Null when it is not known, or there is none: its tokens cost nothing then. */
  price: ModelPrice | null;
}

/**
 * One model API.
 *
 * Contract:
 * - `stream` makes one request and yields until `response`; it never retries by itself;
 * - it throws `ModelError`, and nothing else, for whatever the API or the network does, including nonsense in the
 *   stream and a stream that stays silent longer than the driver's idle timeout;
 * - when the signal aborts it stops at once and throws the signal's reason.
 */
export interface ModelProvider {
  readonly name: string;
  stream(request: ModelRequest, signal: AbortSignal): AsyncIterable<ModelStreamEvent>;
  /** Known models, newest first. Does not call the network. */
  models(): readonly ModelInfo[];
}

/** Wire names of `session.error` that a model request can end in. */
export type ModelErrorType =
  | "model_overloaded_error"
  | "model_rate_limited_error"
  | "model_request_failed_error"
  | "billing_error";

export class ModelError extends Error {
  override readonly name = "ModelError";
  readonly type: ModelErrorType;
  readonly retryable: boolean;
  readonly retryAfterMs: number | null;

  constructor(
    type: ModelErrorType,
    message: string,
    options: ErrorOptions & { retryable: boolean; retryAfterMs?: number | null },
  ) {
    super(message, options);
    this.type = type;
    this.retryable = options.retryable;
    this.retryAfterMs = options.retryAfterMs ?? null;
  }
}
