import { z } from "zod";
import type { ModelUsage } from "../schemas/event.ts";

/** As many as a nanocent for a token can tell. */
const DECIMALS_MAX = 5;
const NANOCENTS_PER_TOKEN = 10 ** DECIMALS_MAX;
const USD_PER_MILLION_TOKENS_MAX = 10_000;

/** A price in USD for a million tokens, such as 0.075. */
const UsdPerMillionTokens = z
  .number()
  .min(0)
  .max(USD_PER_MILLION_TOKENS_MAX)
  .refine((usd) => Number(usd.toFixed(DECIMALS_MAX)) === usd, {
    message: `must have at most ${DECIMALS_MAX} decimals`,
  });

const TokenPrices = z.strictObject({
  input: UsdPerMillionTokens,
  output: UsdPerMillionTokens,
  cache_write_5m: UsdPerMillionTokens,
  cache_write_1h: UsdPerMillionTokens,
  cache_read: UsdPerMillionTokens,
});
type TokenPrices = z.infer<typeof TokenPrices>;

/** What a model costs at list price, in USD for a million tokens. */
export interface ModelPrice extends TokenPrices {
  /** What all tokens of a request cost whose prompt, cached or not, is longer than so many tokens. */
  long_prompt?: TokenPrices & { over_tokens: number };
}

/** Tokens in a cache cost as much as any other where nothing is said of them. */
const GivenPrices = TokenPrices.partial({ cache_write_5m: true, cache_write_1h: true, cache_read: true }).transform(
  ({ input, output, cache_write_5m = input, cache_write_1h = input, cache_read = input }): TokenPrices => ({
    input,
    output,
    cache_write_5m,
    cache_write_1h,
    cache_read,
  }),
);

/** Prices by the model's id, as the installation's settings give them. */
export const ModelPrices = z.record(z.string().min(1), GivenPrices);
export type ModelPrices = Readonly<Record<string, ModelPrice>>;

/**
 * What one model request cost, in nanocents (10⁻⁹ US cents), exactly: an integer. Nothing where the model has no price. Tokens
 * that went into the cache count as kept for 5 minutes, which is how we ask for them. Pure.
 */
export function requestCostNanocents(price: ModelPrice | null, usage: ModelUsage): number {
  if (price === null) return 0;
  const prompt = usage.input_tokens + usage.cache_creation_input_tokens + usage.cache_read_input_tokens;
  const due = price.long_prompt && prompt > price.long_prompt.over_tokens ? price.long_prompt : price;
  return (
    usage.input_tokens * nanocentsPerToken(due.input) +
    usage.output_tokens * nanocentsPerToken(due.output) +
    usage.cache_creation_input_tokens * nanocentsPerToken(due.cache_write_5m) +
    usage.cache_read_input_tokens * nanocentsPerToken(due.cache_read)
  );
}

/** One dollar for a million tokens is 10⁵ nanocents a token. */
const nanocentsPerToken = (usdPerMillion: number) => Math.round(usdPerMillion * NANOCENTS_PER_TOKEN);
