import { createHash } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import type { Logger } from "../log.ts";
import type { ModelInfo, ModelProvider, ModelRequest, ModelResponse, ModelStreamEvent } from "./model-provider.ts";
import { type Answer, nextAnswer } from "./scripts/next-answer.ts";
import { readRun } from "./scripts/run.ts";
import type { Script } from "./scripts/script.ts";

/** Every message begins with it: nobody shall take the script for a model. */
export const SCRIPTED_PREFIX = "[scripted model, no API key] ";
export const SCRIPTED_MODEL_ID = "deckhand-scripted";

const CHARS_A_TOKEN = 4;
const CHARS_A_DELTA = 24;

const MODEL: ModelInfo = {
  id: SCRIPTED_MODEL_ID,
  displayName: "Scripted model (no API key)",
  createdAt: "2026-11-01T00:00:00Z",
  // A script has no window to fill; it needs the whole conversation to know where it is.
  contextWindowTokens: 10_000_000,
  maxOutputTokens: 200_000,
  price: null,
};

export interface ScriptedOptions {
  /** The first that fits a request plays it. */
  scripts: readonly Script[];
  log?: Logger;
  /** Waits before each piece of text, for tests that need to catch the model in mid-stream. */
  pauseMs?: number;
}

/**
 * Stands in for a model when there is no API key: plays a script against the real tools. The same request gets the same
 * answer, ids included. Calls no network and never fails.
 */
export function createScriptedProvider({ scripts, log, pauseMs = 0 }: ScriptedOptions): ModelProvider {
  return {
    name: "scripted",
    models: () => [MODEL],
    async *stream(request, signal) {
      signal.throwIfAborted();
      const run = readRun(request);
      const script = scripts.find((script) => script.fits(run));
      const answer = script ? nextAnswer(script, run) : { text: "No script fits this request.", calls: [] };
      log?.debug({ script: script?.name, calls: answer.calls.length }, "scripted answer");
      yield* streamed(toResponse(answer, request), pauseMs, signal);
    },
  };
}

async function* streamed(
  response: ModelResponse,
  pauseMs: number,
  signal: AbortSignal,
): AsyncGenerator<ModelStreamEvent> {
  for (const block of response.content) {
    if (block.type !== "text") continue;
    for (let at = 0; at < block.text.length; at += CHARS_A_DELTA) {
      if (pauseMs > 0) await pause(pauseMs, signal);
      signal.throwIfAborted();
      yield { type: "text", index: 0, text: block.text.slice(at, at + CHARS_A_DELTA) };
    }
  }
  signal.throwIfAborted();
  yield { type: "response", response };
}

/** Rejects with the signal's own reason, which the timer would wrap. */
async function pause(pauseMs: number, signal: AbortSignal): Promise<void> {
  try {
    await sleep(pauseMs, undefined, { signal });
  } catch (error) {
    signal.throwIfAborted();
    throw error;
  }
}

function toResponse({ text, calls }: Answer, request: ModelRequest): ModelResponse {
  // Of the whole conversation, so that no two answers in it share an id.
  const mark = createHash("sha256").update(JSON.stringify(request.messages)).digest("hex").slice(0, 16);
  const content: ModelResponse["content"] = [
    { type: "text", text: SCRIPTED_PREFIX + text },
    ...calls.map(({ name, input }, i) => ({
      type: "tool_use" as const,
      id: `toolu_scripted_${mark}_${i}`,
      name,
      input,
    })),
  ];
  return {
    content,
    stopReason: calls.length > 0 ? "tool_use" : "end_turn",
    usage: {
      input_tokens: tokens([request.system, request.messages, request.tools]),
      output_tokens: tokens(content),
      cache_creation_input_tokens: 0,
      cache_read_input_tokens: 0,
    },
  };
}

/** A plausible count, not a measured one. */
function tokens(value: unknown): number {
  return Math.ceil(JSON.stringify(value).length / CHARS_A_TOKEN);
}
