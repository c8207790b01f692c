import { z } from "zod";
import type { ModelUsage } from "../schemas/event.ts";
import { cutOffInput, invalidInput } from "./broken-input.ts";
import { ModelError, type ModelResponse, type ModelStreamEvent } from "./model-provider.ts";

const CallPiece = z.object({
  index: z.number().int().nullish(),
  id: z.string().nullish(),
  function: z.object({ name: z.string().nullish(), arguments: z.string().nullish() }).nullish(),
});
type CallPiece = z.infer<typeof CallPiece>;

/** Thinking is `reasoning_content` to vLLM and DeepSeek, `reasoning` to Ollama. OpenAI's own servers keep it. */
const Delta = z.object({
  content: z.string().nullish(),
  refusal: z.string().nullish(),
  reasoning_content: z.string().nullish(),
  reasoning: z.string().nullish(),
  tool_calls: z.array(CallPiece).nullish(),
});

const Tokens = z.number().int().min(0);
const Usage = z.object({
  prompt_tokens: Tokens,
  completion_tokens: Tokens.nullish(),
  prompt_tokens_details: z.object({ cached_tokens: Tokens.nullish() }).nullish(),
});

/** One event of a chat completion that is streamed. The one with the usage has no choice. */
export const ChatChunk = z.object({
  choices: z.array(z.object({ delta: Delta.nullish(), finish_reason: z.string().nullish() })),
  usage: Usage.nullish(),
});
export type ChatChunk = z.infer<typeof ChatChunk>;

interface OpenCall {
  id: string | null;
  name: string;
  json: string;
}

/** Far more than any model writes at once; a model that repeats itself without end is stopped here. */
const ANSWER_CHARS_MAX = 4_000_000;
const CALLS_MAX = 128;
/** The server's own words for an answer that it did not finish. */
const BROKEN_OFF = ["abort", "error"];

/** Puts the chunks of one chat completion together. Feed it every chunk, then ask for the response. */
export class ChatStream {
  readonly #calls: OpenCall[] = [];
  /** The call that pieces of an index belong to. */
  readonly #byIndex = new Map<number, OpenCall>();
  #text = "";
  #thought = false;
  #refused = false;
  #chars = 0;
  #finishReason: string | null = null;
  #usage: ModelUsage = {
    input_tokens: 0,
    output_tokens: 0,
    cache_creation_input_tokens: 0,
    cache_read_input_tokens: 0,
  };

  /**
   * What this chunk lets a reader see.
   * @throws ModelError for an answer without end
   */
  take({ choices: [choice], usage }: ChatChunk): ModelStreamEvent[] {
    if (usage) this.#usage = toUsage(usage);
    if (!choice) return [];
    // Empty in every chunk but the last, of some servers.
    this.#finishReason = choice.finish_reason || this.#finishReason;
    const { content, refusal, reasoning, reasoning_content, tool_calls } = choice.delta ?? {};
    const text = `${content ?? ""}${refusal ?? ""}`;
    const thought = `${reasoning_content ?? ""}${reasoning ?? ""}`;
    if (refusal) this.#refused = true;
    this.#bound(text.length + thought.length);
    for (const piece of tool_calls ?? []) this.#grow(piece);
    this.#text += text;
    const seen: ModelStreamEvent[] = thought !== "" && !this.#thought ? [{ type: "thinking" }] : [];
    this.#thought ||= thought !== "";
    return text === "" ? seen : [...seen, { type: "text", index: 0, text }];
  }

  /**
   * A call that was cut off has half an input and must not run: like one whose JSON is broken, it gets an argument that no
   * tool takes, so that the model is told. Calls of a refused answer are dropped. Usage is zero where the server tells none.
   * @returns null when the stream ended before the model was done
   * @throws ModelError for a call of nothing
   */
  response(): ModelResponse | null {
    if (this.#finishReason === null || BROKEN_OFF.includes(this.#finishReason)) return null;
    const stopReason = this.#stopReason();
    const calls = stopReason === "refusal" ? [] : this.#calls;
    return {
      content: [
        ...(this.#thought ? [{ type: "thinking" as const, opaque: {} }] : []),
        ...(this.#text === "" ? [] : [{ type: "text" as const, text: this.#text }]),
        ...calls.map((call, index) =>
          toToolUse(call, index, stopReason === "max_tokens" && index === calls.length - 1),
        ),
      ],
      stopReason,
      usage: this.#usage,
    };
  }

  /** Some servers end an answer that has calls with `stop`, as if it had none. */
  #stopReason(): ModelResponse["stopReason"] {
    if (this.#refused || this.#finishReason === "content_filter") return "refusal";
    if (this.#finishReason === "length") return "max_tokens";
    return this.#calls.length > 0 ? "tool_use" : "end_turn";
  }

  #grow(piece: CallPiece): void {
    const call = this.#callOf(piece) ?? this.#open();
    if (typeof piece.index === "number") this.#byIndex.set(piece.index, call);
    call.id ??= piece.id || null;
    call.name ||= piece.function?.name ?? "";
    call.json += piece.function?.arguments ?? "";
    this.#bound((piece.function?.arguments ?? "").length);
  }

  /**
   * The call that a piece goes on with; null when it begins another one. By the rules the index tells, but there are
   * servers that leave it out, or give it to every call alike; ids may be missing, come late, or be the tool's name.
   */
  #callOf({ index, id, function: called }: CallPiece): OpenCall | null {
    const indexed = typeof index === "number";
    const open = indexed ? this.#byIndex.get(index) : this.#lastOf(id);
    if (!open) return null;
    if (!called?.name || open.name === "") return open;
    if ((id && open.id && id !== open.id) || isJson(open.json)) return null;
    return indexed || id ? open : null;
  }

  #lastOf(id: string | null | undefined): OpenCall | undefined {
    return this.#calls.findLast((call) => id && call.id === id) ?? this.#calls.at(-1);
  }

  #open(): OpenCall {
    if (this.#calls.length === CALLS_MAX) throw endless(`more than ${CALLS_MAX} tool calls`);
    const call = { id: null, name: "", json: "" };
    this.#calls.push(call);
    return call;
  }

  #bound(chars: number): void {
    this.#chars += chars;
    if (this.#chars > ANSWER_CHARS_MAX) throw endless(`more than ${ANSWER_CHARS_MAX} characters`);
  }
}

function toToolUse({ id, name, json }: OpenCall, index: number, cutOff: boolean): ModelResponse["content"][number] {
  if (name === "") throw nonsense("a tool call without a name");
  const input = cutOff ? cutOffInput(json) : parseInput(json);
  return { type: "tool_use", id: id ?? `call_${index}`, name, input };
}

/** The model's arguments as it wrote them. */
function parseInput(json: string): unknown {
  if (json.trim() === "") return {};
  try {
    return JSON.parse(json);
  } catch {
    return invalidInput(json);
  }
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

/** Here the prompt's tokens include those that were cached. */
function toUsage({ prompt_tokens, completion_tokens, prompt_tokens_details }: z.infer<typeof Usage>): ModelUsage {
  const cached = Math.min(prompt_tokens_details?.cached_tokens ?? 0, prompt_tokens);
  return {
    input_tokens: prompt_tokens - cached,
    output_tokens: completion_tokens ?? 0,
    cache_creation_input_tokens: 0,
    cache_read_input_tokens: cached,
  };
}

const nonsense = (what: string) =>
  new ModelError("model_request_failed_error", `The model API answered nonsense: ${what}.`, { retryable: true });

const endless = (what: string) =>
  new ModelError("model_request_failed_error", `The model's answer has no end: ${what}.`, { retryable: false });
