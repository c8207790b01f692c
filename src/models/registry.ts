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

/** Where two providers know a model, the first one serves it. */
export function createModelRegistry(providers: readonly ModelProvider[]): ModelRegistry {
  const served = new Map<string, ServedModel>();
  for (const provider of providers) {
    for (const info of provider.models()) if (!served.has(info.id)) served.set(info.id, { provider, info });
  }
  return {
    find: (id) => served.get(id) ?? null,
    list: () => [...served.values()].map(({ info }) => info),
  };
}
