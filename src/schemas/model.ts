import { z } from "zod";
import { QueryList, Timestamp } from "./primitives.ts";

export const Model = z
  .object({
    id: z.string(),
    type: z.literal("model"),
    display_name: z.string(),
    created_at: Timestamp,
    lifecycle: z.literal("active"),
    line: z.null(),
    allowed_fallback_models: z.null(),
    capabilities: z.null(),
    max_input_tokens: z.number().int().nullable(),
    max_tokens: z.number().int().nullable(),
    deprecated_at: z.null(),
    retires_at: z.null(),
  })
  .meta({ id: "Model" });
export type Model = z.infer<typeof Model>;

export const ModelListQuery = z.object({
  limit: z.coerce.number().int().min(1).max(1000).default(20),
  after_id: z.string().optional(),
  before_id: z.string().optional(),
  lifecycle: QueryList(z.enum(["active", "deprecated", "retired"]), 3).optional(),
});
export type ModelListQuery = z.infer<typeof ModelListQuery>;
