import { randomUUID } from "node:crypto";
import type { AnswerBlock, StreamedAnswer } from "./messages-answer.ts";

/**
 * How a server writes tool calls: as OpenAI does, with index, id and name first and the arguments in pieces; or
 * - `no_ids`: without ids (Ollama with some models);
 * - `late_ids`: the id comes with the last piece;
 * - `same_index`: each call whole in one chunk, all with index 0 (Ollama), or `same_index_no_ids`;
 * - `no_index`: each call whole in one chunk, without index or id;
 * - `tool_name_ids`: the tool's name for an id.
 */
export type CallHabit = "no_ids" | "late_ids" | "same_index" | "same_index_no_ids" | "no_index" | "tool_name_ids";

const PIECE_CHARS = 7;
const FINISH_REASONS = {
  end_turn: "stop",
  pause_turn: "stop",
  tool_use: "tool_calls",
  max_tokens: "length",
  model_context_window_exceeded: "length",
  refusal: "content_filter",
} as const;

/** The chunks of a complete answer, as chat completions stream them, without the `[DONE]` after them. */
export function chunksOf(answer: StreamedAnswer, model: string, habit?: CallHabit): object[] {
  const id = `chatcmpl-${randomUUID()}`;
  const chunk = (more: object) => ({ id, object: "chat.completion.chunk", created: 1_700_000_000, model, ...more });
  const choice = (delta: object, finish_reason: string | null = null) =>
    chunk({ choices: [{ index: 0, delta, logprobs: null, finish_reason }], usage: null });
  const calls = answer.content.filter((block) => block.type === "tool_use");
  return [
    choice({ role: "assistant", content: "" }),
    ...answer.content.flatMap(wordsOf).map((delta) => choice(delta)),
    ...calls.flatMap((call, index) => piecesOf(call, index, habit)).map((piece) => choice({ tool_calls: [piece] })),
    choice({}, FINISH_REASONS[answer.stopReason ?? "end_turn"]),
    chunk({ choices: [], usage: usageOf(answer) }),
  ];
}

function wordsOf(block: AnswerBlock): object[] {
  if (block.type === "text") return block.chunks.map((content) => ({ content }));
  if (block.type === "thinking") return cut(block.thinking).map((text) => ({ reasoning_content: text }));
  return [];
}

function piecesOf(call: Extract<AnswerBlock, { type: "tool_use" }>, index: number, habit?: CallHabit): object[] {
  const { name } = call;
  const json = call.json ?? JSON.stringify(call.input);
  const id = habit === "tool_name_ids" ? name : `call_${randomUUID().replaceAll("-", "").slice(0, 24)}`;
  const type = "function";
  if (habit === "no_index") return [{ type, function: { name, arguments: json } }];
  if (habit === "same_index") return [{ index: 0, id, type, function: { name, arguments: json } }];
  if (habit === "same_index_no_ids") return [{ index: 0, type, function: { name, arguments: json } }];
  const idFirst = habit !== "no_ids" && habit !== "late_ids";
  return [
    { index, ...(idFirst && { id }), type, function: { name, arguments: "" } },
    ...cut(json).map((text) => ({ index, function: { arguments: text } })),
    ...(habit === "late_ids" ? [{ index, id, function: { arguments: "" } }] : []),
  ];
}

/** Chat completions count cached tokens among those of the prompt. */
function usageOf({ usage = {} }: StreamedAnswer) {
  const cached = usage.cache_read_input_tokens ?? 0;
  const prompt = (usage.input_tokens ?? 10) + cached;
  const completion = usage.output_tokens ?? 5;
  return {
    prompt_tokens: prompt,
    completion_tokens: completion,
    total_tokens: prompt + completion,
    prompt_tokens_details: { cached_tokens: cached },
  };
}

function cut(text: string): string[] {
  const pieces: string[] = [];
  for (let at = 0; at < text.length; at += PIECE_CHARS) pieces.push(text.slice(at, at + PIECE_CHARS));
  return pieces;
}
