import type { ModelPrices } from "./model-price.ts";
import type { ModelInfo, ModelProvider } from "./model-provider.ts";

export interface ServedModel {
  provider: ModelProvider;
  info: ModelInfo;
}

/** Which model is served by whom. */
export interface ModelRegistry {
  /** Null when no provider knows the model. */
  find(id: string): ServedModel | null;
  /** In the order of the providers, each newest first. */
  list(): readonly ModelInfo[];
}

/**
 * Where two providers know a model, the first one serves it.
 * @param prices take the place of those that the providers know
 */
export function createModelRegistry(providers: readonly ModelProvider[], prices: ModelPrices = {}): ModelRegistry {
  const served = new Map<string, ServedModel>();
  for (const provider of providers) {
    for (const known of provider.models()) {
      const info = { ...known, price: prices[known.id] ?? known.price };
      if (!served.has(info.id)) served.set(info.id, { provider, info });
    }
  }
  return {
    find: (id) => served.get(id) ?? null,
    list: () => [...served.values()].map(({ info }) => info),
  };
}
