import { randomUUID } from "node:crypto";
import type { Answer } from "./model-script.ts";

type Frame = { type: string; [field: string]: unknown };
type Call = { name: string; input: unknown };

const USAGE = { input_tokens: 100, output_tokens: 10, cache_creation_input_tokens: 0, cache_read_input_tokens: 0 };

/** An answer as the Messages API streams it, in the pieces that are sent one after the other. Pure but for new ids. */
export function piecesOf(model: string, answer: Answer): string[] {
  const start = [messageStart(model)];
  if ("nonsense" in answer) return ["<!doctype html><title>Bad gateway</title>"];
  if ("hang" in answer) return [render(start)];
  if ("say" in answer) {
    const deltas = split(answer.say, answer.chunks ?? 1).map((text) => textDelta(text));
    const [first = "", ...others] = deltas.map((delta) => render([delta]));
    return [render([...start, textStart()]) + first, ...others, render([blockStop(0), ...messageEnd("end_turn")])];
  }
  const calls = "calls" in answer ? answer.calls : [bashCall(answer)];
  return [render([...start, ...calls.flatMap(callFrames), ...messageEnd("tool_use")])];
}

function bashCall({ bash, timeout_ms }: Extract<Answer, { bash: string }>): Call {
  return { name: "bash", input: { command: bash, ...(timeout_ms === undefined ? {} : { timeout_ms }) } };
}

function messageStart(model: string): Frame {
  return {
    type: "message_start",
    message: {
      id: `msg_${randomUUID()}`,
      type: "message",
      role: "assistant",
      model,
      content: [],
      stop_reason: null,
      stop_sequence: null,
      usage: { ...USAGE, output_tokens: 1 },
    },
  };
}

function callFrames({ name, input }: Call, index: number): Frame[] {
  const partial_json = typeof input === "string" ? input : JSON.stringify(input);
  return [
    {
      type: "content_block_start",
      index,
      content_block: { type: "tool_use", id: `toolu_${randomUUID()}`, name, input: {} },
    },
    { type: "content_block_delta", index, delta: { type: "input_json_delta", partial_json } },
    blockStop(index),
  ];
}

const textStart = (): Frame => ({ type: "content_block_start", index: 0, content_block: { type: "text", text: "" } });
const textDelta = (text: string): Frame => ({
  type: "content_block_delta",
  index: 0,
  delta: { type: "text_delta", text },
});
const blockStop = (index: number): Frame => ({ type: "content_block_stop", index });

const messageEnd = (stop_reason: string): Frame[] => [
  { type: "message_delta", delta: { stop_reason, stop_sequence: null }, usage: USAGE },
  { type: "message_stop" },
];

function render(frames: Frame[]): string {
  return frames.map((frame) => `event: ${frame.type}\ndata: ${JSON.stringify(frame)}\n\n`).join("");
}

function split(text: string, count: number): string[] {
  const size = Math.max(1, Math.ceil(text.length / count));
  return Array.from({ length: Math.ceil(text.length / size) }, (_, at) => text.slice(at * size, (at + 1) * size));
}
