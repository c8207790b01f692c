import { z } from "zod";
import { Timestamp } from "./common.ts";

export const Model = z
  .object({
    id: z.string(),
    type: z.literal("model"),
    display_name: z.string(),
    created_at: Timestamp,
    lifecycle: z.literal("active"),
    line: z.null(),
    capabilities: z.null(),
    max_input_tokens: z.number().int().nullable(),
    max_tokens: z.number().int().nullable(),
    deprecated_at: z.null(),
    retires_at: z.null(),
  })
  .meta({ id: "Model" });
export type Model = z.infer<typeof Model>;
