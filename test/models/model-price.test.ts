import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ANTHROPIC_MODELS } from "../../src/models/anthropic-models.ts";
import { createAnthropicProvider } from "../../src/models/anthropic.ts";
import { type ModelPrice, ModelPrices, requestCostNanocents } from "../../src/models/model-price.ts";
import { createModelRegistry } from "../../src/models/registry.ts";
import { createScriptedProvider } from "../../src/models/scripted.ts";
import { NO_USAGE } from "../support/events.ts";

const USD = 100 * 1e9;
const PRICE: ModelPrice = { input: 3, output: 15, cache_write_5m: 3.75, cache_write_1h: 6, cache_read: 0.3 };
const known = (id: string) => ANTHROPIC_MODELS.find((model) => model.id === id)?.price ?? null;

describe("what a model request costs", () => {
  it("is each kind of token at its own price for a million", () => {
    for (const [usage, usd] of [
      [{ input_tokens: 1_000_000 }, 3],
      [{ output_tokens: 1_000_000 }, 15],
      [{ cache_creation_input_tokens: 1_000_000 }, 3.75],
      [{ cache_read_input_tokens: 1_000_000 }, 0.3],
    ] as const) {
      expect(requestCostNanocents(PRICE, { ...NO_USAGE, ...usage })).toBe(usd * USD);
    }
  });

  it("is nothing for a model without a price", () => {
    expect(requestCostNanocents(null, { ...NO_USAGE, input_tokens: 5_000, output_tokens: 5_000 })).toBe(0);
  });

  it("is exact: the same tokens cost the same in one request and in many", () => {
    const tokens = fc.nat({ max: 2_000_000 });
    const price = fc.nat({ max: 10_000_000 }).map((n) => n / 1e5);
    fc.assert(
      fc.property(price, tokens, tokens, (input, one, other) => {
        const of = (input_tokens: number) => requestCostNanocents({ ...PRICE, input }, { ...NO_USAGE, input_tokens });
        expect(Number.isSafeInteger(of(one))).toBe(true);
        expect(of(one) + of(other)).toBe(of(one + other));
      }),
    );
  });

  it("is higher for all tokens of a long prompt, where the model has such a price; the cache counts as prompt", () => {
    const haiku = known("claude-haiku-5-5");
    const cost = (cached: number) =>
      requestCostNanocents(haiku, { ...NO_USAGE, cache_read_input_tokens: cached, output_tokens: 1_000 });
    expect(cost(100_000)).toBe(100_000 * 1_000 + 1_000 * 50_000);
    expect(cost(100_001)).toBe(100_001 * 5_000 + 1_000 * 250_000);
  });
});

describe("prices of models", () => {
  it("are known for every Claude model, and can be counted exactly", () => {
    for (const { price } of ANTHROPIC_MODELS) expect(ModelPrices.safeParse({ x: flat(price) }).success).toBe(true);
    expect(known("claude-opus-5-5")).toEqual({
      input: 4,
      output: 20,
      cache_write_5m: 5,
      cache_write_1h: 8,
      cache_read: 0.2,
    });
  });

  it("are there for none that a script plays", () => {
    expect(createScriptedProvider({ scripts: [] }).models()).toMatchObject([{ price: null }]);
  });

  it("give way to those of the settings", () => {
    const provider = createAnthropicProvider({ apiKey: "sk-key", baseUrl: null });
    const registry = createModelRegistry([provider], { "claude-opus-5": PRICE });
    expect(registry.find("claude-opus-5")?.info.price).toEqual(PRICE);
    expect(registry.list().find(({ id }) => id === "claude-opus-5")?.price).toEqual(PRICE);
    expect(registry.find("claude-sonnet-5")?.info.price).toEqual(known("claude-sonnet-5"));
  });
});

function flat(price: ModelPrice | null) {
  const { long_prompt: _, ...prices } = price ?? PRICE;
  return prices;
}
