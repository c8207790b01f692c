import type Anthropic from "@anthropic-ai/sdk";
import type { ModelUsage } from "../schemas/event.ts";
import { cutOffInput, invalidInput } from "./broken-input.ts";
import type { ModelResponse, ModelStreamEvent } from "./model-provider.ts";

interface OpenBlock {
  block: Anthropic.ContentBlock;
  json: string;
}

/** Puts the frames of one Messages stream together. Feed it every frame, then ask for the response. */
export class AnthropicStream {
  readonly #blocks = new Map<number, OpenBlock>();
  #textBlocks = 0;
  #stopReason: Anthropic.StopReason | null = null;
  readonly #usage: ModelUsage = {
    input_tokens: 0,
    output_tokens: 0,
    cache_creation_input_tokens: 0,
    cache_read_input_tokens: 0,
  };

  /** What this frame lets a reader see. */
  take(frame: Anthropic.RawMessageStreamEvent): ModelStreamEvent[] {
    switch (frame.type) {
      case "message_start":
        this.#count(frame.message.usage);
        return [];
      case "content_block_start":
        this.#blocks.set(frame.index, { block: { ...frame.content_block }, json: "" });
        return this.#open(frame.content_block);
      case "content_block_delta":
        return this.#grow(frame);
      case "message_delta":
        this.#stopReason = frame.delta.stop_reason;
        this.#count(frame.usage);
        return [];
      case "content_block_stop":
      case "message_stop":
        return [];
      default:
        return []; // The API may add kinds of frames.
    }
  }

  /**
   * A call that was cut off has half an input and must not run: like one whose JSON is broken, it gets an argument that no
   * tool takes, so that the model is told.
   * @returns null when the stream ended before the model was done
   */
  response(): ModelResponse | null {
    if (this.#stopReason === null) return null;
    const cutOff = this.#stopReason === "max_tokens" || this.#stopReason === "model_context_window_exceeded";
    const blocks = [...this.#blocks.values()];
    const content = blocks.flatMap(({ block, json }, index): ModelResponse["content"] => {
      if (block.type === "text") return [{ type: "text", text: block.text }];
      if (isThinking(block)) return [{ type: "thinking", opaque: block }];
      if (block.type !== "tool_use") return [];
      const input = cutOff && index === blocks.length - 1 ? cutOffInput(json) : parseInput(json);
      return [{ type: "tool_use", id: block.id, name: block.name, input }];
    });
    return { content, stopReason: toStopReason(this.#stopReason), usage: { ...this.#usage } };
  }

  #open(block: Anthropic.ContentBlock): ModelStreamEvent[] {
    if (isThinking(block)) return [{ type: "thinking" }];
    if (block.type !== "text") return [];
    this.#textBlocks += 1;
    return block.text === "" ? [] : [{ type: "text", index: this.#textBlocks - 1, text: block.text }];
  }

  #grow({ index, delta }: Anthropic.RawContentBlockDeltaEvent): ModelStreamEvent[] {
    const open = this.#blocks.get(index);
    if (!open) return [];
    const { block } = open;
    if (delta.type === "text_delta" && block.type === "text") {
      block.text += delta.text;
      return [{ type: "text", index: this.#textBlocks - 1, text: delta.text }];
    }
    if (delta.type === "input_json_delta") open.json += delta.partial_json;
    if (delta.type === "thinking_delta" && block.type === "thinking") block.thinking += delta.thinking;
    if (delta.type === "signature_delta" && block.type === "thinking") block.signature += delta.signature;
    return [];
  }

  /** Later frames repeat and correct earlier counts. */
  #count(usage: { [Count in keyof ModelUsage]?: number | null }): void {
    this.#usage.input_tokens = usage.input_tokens ?? this.#usage.input_tokens;
    this.#usage.output_tokens = usage.output_tokens ?? this.#usage.output_tokens;
    this.#usage.cache_creation_input_tokens =
      usage.cache_creation_input_tokens ?? this.#usage.cache_creation_input_tokens;
    this.#usage.cache_read_input_tokens = usage.cache_read_input_tokens ?? this.#usage.cache_read_input_tokens;
  }
}

function isThinking(block: { type: string }): boolean {
  return block.type === "thinking" || block.type === "redacted_thinking";
}

/** The model's arguments as it wrote them. */
function parseInput(json: string): unknown {
  if (json === "") return {};
  try {
    return JSON.parse(json);
  } catch {
    return invalidInput(json);
  }
}

function toStopReason(reason: Anthropic.StopReason): ModelResponse["stopReason"] {
  switch (reason) {
    case "tool_use":
    case "max_tokens":
    case "refusal":
      return reason;
    case "model_context_window_exceeded":
      return "max_tokens";
    case "end_turn":
    case "stop_sequence":
    case "pause_turn":
      return "end_turn";
  }
}
