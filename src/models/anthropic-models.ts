import type { ModelPrice } from "./model-price.ts";
import type { ModelInfo } from "./model-provider.ts";

/** The API's own value for a release date that is not known. */
const UNKNOWN_DATE = "1970-01-01T00:00:00Z";

const model = (id: string, displayName: string, price: ModelPrice, createdAt = UNKNOWN_DATE): ModelInfo => ({
  id,
  displayName,
  createdAt,
  contextWindowTokens: 200_000,
  maxOutputTokens: 32_000,
  price,
});

/** Writing to the cache costs 1.25 times the input for 5 minutes and twice for an hour; reading is priced model by model. */
const prices = (input: number, output: number, cache_read: number) => ({
  input,
  output,
  cache_write_5m: input * 1.25,
  cache_write_1h: input * 2,
  cache_read,
});

const OPUS_4_5_TO_5 = prices(5, 25, 0.5);
const SONNET_4 = prices(3, 15, 0.3);
const HAIKU_5_5 = { ...prices(0.1, 0.5, 0.01), long_prompt: { over_tokens: 100_000, ...prices(0.5, 2.5, 0.05) } };

/**
 * Newest first. The limits are those that all of them keep; a model that takes more is used for less. The prices are
 * Anthropic's list prices of November 2026.
 */
export const ANTHROPIC_MODELS: readonly ModelInfo[] = [
  model("claude-opus-5-5", "Claude Opus 5.5", prices(4, 20, 0.2)),
  model("claude-sonnet-5-5", "Claude Sonnet 5.5", prices(2, 10, 0.1)),
  model("claude-haiku-5-5", "Claude Haiku 5.5", HAIKU_5_5),
  model("claude-fable-5-2", "Claude Fable 5.2", prices(8, 40, 0.2)),
  model("claude-fable-5-1", "Claude Fable 5.1", prices(10, 50, 0.25)),
  model("claude-fable-5", "Claude Fable 5", prices(10, 50, 1)),
  model("claude-opus-5", "Claude Opus 5", OPUS_4_5_TO_5),
  model("claude-sonnet-5", "Claude Sonnet 5", prices(2, 10, 0.2)),
  model("claude-opus-4-8", "Claude Opus 4.8", OPUS_4_5_TO_5),
  model("claude-opus-4-7", "Claude Opus 4.7", OPUS_4_5_TO_5),
  model("claude-opus-4-6", "Claude Opus 4.6", OPUS_4_5_TO_5),
  model("claude-sonnet-4-6", "Claude Sonnet 4.6", SONNET_4),
  model("claude-opus-4-5", "Claude Opus 4.5", OPUS_4_5_TO_5, "2025-11-01T00:00:00Z"),
  model("claude-haiku-4-5", "Claude Haiku 4.5", prices(1, 5, 0.1), "2025-10-01T00:00:00Z"),
  model("claude-sonnet-4-5", "Claude Sonnet 4.5", SONNET_4, "2025-09-29T00:00:00Z"),
];
