import { z } from "zod";
import type { KnownModel } from "../../agents/agents.ts";
import { notFound } from "../../errors.ts";
import { Model, ModelListQuery } from "../../schemas/model.ts";
import type { Server } from "../server.ts";

const ModelPath = z.object({ model_id: z.string() });
const ModelPage = z.object({
  data: z.array(Model),
  has_more: z.boolean(),
  first_id: z.string().nullable(),
  last_id: z.string().nullable(),
});
const tags = ["Models"];

/** @param models newest first */
export function modelRoutes(app: Server, models: () => readonly KnownModel[]): void {
  app.get(
    "/models",
    { schema: { tags, summary: "List models", querystring: ModelListQuery, response: { 200: ModelPage } } },
    async ({ query }) => {
      const listed = query.lifecycle && !query.lifecycle.includes("active") ? [] : models();
      const { found, more } = select(listed, query);
      const data = found.map(toModel);
      return { data, has_more: more, first_id: data[0]?.id ?? null, last_id: data.at(-1)?.id ?? null };
    },
  );

  app.get(
    "/models/:model_id",
    { schema: { tags, summary: "Get a model", params: ModelPath, response: { 200: Model } } },
    async ({ params }) => {
      const model = models().find(({ id }) => id === params.model_id);
      if (!model) throw notFound("Model", params.model_id);
      return toModel(model);
    },
  );
}

function select(models: readonly KnownModel[], { after_id, before_id, limit }: ModelListQuery) {
  const start = after_id === undefined ? 0 : placeOf(models, after_id) + 1;
  if (before_id === undefined) {
    return { found: models.slice(start, start + limit), more: models.length > start + limit };
  }
  const before = models.slice(start, placeOf(models, before_id));
  return { found: before.slice(-limit), more: before.length > limit };
}

function placeOf(models: readonly KnownModel[], id: string): number {
  const place = models.findIndex((model) => model.id === id);
  if (place < 0) throw notFound("Model", id);
  return place;
}

function toModel(model: KnownModel): Model {
  return {
    id: model.id,
    type: "model",
    display_name: model.displayName,
    created_at: model.createdAt,
    lifecycle: "active",
    line: null,
    allowed_fallback_models: null,
    capabilities: null,
    max_input_tokens: model.contextWindowTokens,
    max_tokens: model.maxOutputTokens,
    deprecated_at: null,
    retires_at: null,
  };
}
