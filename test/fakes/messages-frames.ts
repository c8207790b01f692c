import { randomUUID } from "node:crypto";
import type { AnswerBlock, StreamedAnswer } from "./messages-answer.ts";

/** One server-sent event. */
export interface Frame {
  event: string;
  data: Record<string, unknown>;
}

const CHUNK_CHARS = 12;

/** The frames of a complete answer, as the Messages API sends them. */
export function framesOf(answer: StreamedAnswer, model: unknown): Frame[] {
  const usage = {
    input_tokens: 10,
    output_tokens: 5,
    cache_creation_input_tokens: 0,
    cache_read_input_tokens: 0,
    ...answer.usage,
  };
  const message = {
    id: `msg_${randomUUID()}`,
    type: "message",
    role: "assistant",
    model,
    content: [],
    stop_reason: null,
    stop_sequence: null,
    usage: { ...usage, output_tokens: 1 },
  };
  const stopped = { stop_reason: answer.stopReason ?? "end_turn", stop_sequence: null };
  return [
    frame("message_start", { message }),
    frame("ping", {}),
    ...answer.content.flatMap(blockFrames),
    frame("message_delta", { delta: stopped, usage: { output_tokens: usage.output_tokens } }),
    frame("message_stop", {}),
  ];
}

export const frame = (event: string, data: Record<string, unknown>): Frame => ({
  event,
  data: { type: event, ...data },
});

export const toWire = ({ event, data }: Frame): string => `event: ${event}\ndata: ${JSON.stringify(data)}\n\n`;

function blockFrames(block: AnswerBlock, index: number): Frame[] {
  const delta = (content: Record<string, unknown>) => frame("content_block_delta", { index, delta: content });
  const { start, deltas } = partsOf(block);
  return [
    frame("content_block_start", { index, content_block: start }),
    ...deltas.map(delta),
    frame("content_block_stop", { index }),
  ];
}

function partsOf(block: AnswerBlock): { start: Record<string, unknown>; deltas: Record<string, unknown>[] } {
  switch (block.type) {
    case "text":
      return {
        start: { type: "text", text: "" },
        deltas: block.chunks.map((text) => ({ type: "text_delta", text })),
      };
    case "thinking":
      return {
        start: { type: "thinking", thinking: "", signature: "" },
        deltas: [
          ...chunked(block.thinking).map((thinking) => ({ type: "thinking_delta", thinking })),
          { type: "signature_delta", signature: block.signature },
        ],
      };
    case "tool_use":
      return {
        start: { type: "tool_use", id: `toolu_${randomUUID()}`, name: block.name, input: {} },
        deltas: chunked(block.json ?? JSON.stringify(block.input)).map((text) => ({
          type: "input_json_delta",
          partial_json: text,
        })),
      };
  }
}

function chunked(text: string): string[] {
  const chunks: string[] = [];
  for (let at = 0; at < text.length; at += CHUNK_CHARS) chunks.push(text.slice(at, at + CHUNK_CHARS));
  return chunks;
}
