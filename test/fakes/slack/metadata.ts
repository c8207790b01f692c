import { z } from "zod";
import { invalid } from "./refusal.ts";
import type { Metadata } from "./world.ts";
import { json } from "./wire.ts";

/** Not documented; a message's metadata should be far below. */
const METADATA_BYTES_MAX = 16_000;

const scalar = z.union([z.string(), z.number(), z.boolean()]);
const flat = z.record(z.string(), scalar);
/** One level of objects, as `@slack/types` has it. */
export const metadata = json(
  z.strictObject({
    event_type: z.string().regex(/^[a-zA-Z0-9_]{1,255}$/),
    event_payload: z.record(z.string(), z.union([scalar, flat, z.array(z.union([scalar, flat]))])),
  }),
);

/** @throws Refusal */
export function refuseLargeMetadata(given: Metadata | undefined): void {
  const bytes = Buffer.byteLength(JSON.stringify(given ?? null));
  if (bytes > METADATA_BYTES_MAX) throw invalid("metadata_too_large", [`metadata of ${bytes} bytes`]);
}
