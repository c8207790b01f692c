import { z } from "zod";
import type { ModelInfo } from "./model-provider.ts";

/** What `/v1/models` says where a release date is not known. */
const UNKNOWN_DATE = "1970-01-01T00:00:00Z";
/** Less than this holds no agent's instructions and tools. */
const CONTEXT_TOKENS_MIN = 4_096;
const CONTEXT_TOKENS_MAX = 100_000_000;
const CONTEXT_TOKENS_UNSAID = 32_768;

/**
 * Models as the settings list them: ids with commas between them, each with the size of its context after a colon where
 * that is known. An id may itself have a colon, as Ollama's do: `qwen3:8b` and `qwen3:8b:40960` name the same model.
 */
export const OpenAiModels = z.string().transform((text, context): readonly ModelInfo[] => {
  const listed = text
    .split(",")
    .map((entry) => entry.trim())
    .filter((entry) => entry !== "")
    .map(toModel);
  const problem = problemOf(listed);
  if (problem === null) return listed;
  context.addIssue(problem);
  return z.NEVER;
});

/** No limit of the output but the context's is asked for, see `toChatRequest`. */
function toModel(entry: string): ModelInfo {
  const [, id = entry, tokens] = /^(.+?)(?::(\d+))?$/.exec(entry) ?? [];
  const contextWindowTokens = tokens === undefined ? CONTEXT_TOKENS_UNSAID : Number(tokens);
  return {
    id,
    displayName: id,
    createdAt: UNKNOWN_DATE,
    contextWindowTokens,
    maxOutputTokens: contextWindowTokens,
    price: null,
  };
}

function problemOf(models: readonly ModelInfo[]): string | null {
  if (models.length === 0) return "must list models, such as qwen3:8b:40960";
  const wrongSize = models.find(
    ({ contextWindowTokens: tokens }) => tokens < CONTEXT_TOKENS_MIN || tokens > CONTEXT_TOKENS_MAX,
  );
  if (wrongSize)
    return `${wrongSize.id}: the number at the end is the size of its context in tokens, at least ${CONTEXT_TOKENS_MIN}`;
  const repeated = models.find(({ id }, index) => models.findIndex((other) => other.id === id) !== index);
  return repeated ? `lists ${repeated.id} twice` : null;
}
