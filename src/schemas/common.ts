import { z } from "zod";

/** RFC 3339 with milliseconds, as every time on the wire. */
export const Timestamp = z.iso.datetime();

const METADATA_PAIRS_MAX = 16;

export const Metadata = z
  .record(z.string().min(1).max(64), z.string().max(512))
  .refine((pairs) => Object.keys(pairs).length <= METADATA_PAIRS_MAX, {
    message: `at most ${METADATA_PAIRS_MAX} pairs are allowed`,
  });

/** Query of every list that pages by an opaque cursor. */
export const PageQuery = z.object({
  limit: z.coerce.number().int().min(1).max(100).default(20),
  page: z.string().min(1).optional(),
});
export type PageQuery = z.infer<typeof PageQuery>;

export const page = <Item extends z.ZodType>(item: Item) =>
  z.object({ data: z.array(item), next_page: z.string().nullable() });

/** A query-string boolean: the SDK sends `true` and `false`. */
export const QueryBoolean = z.enum(["true", "false"]).transform((value) => value === "true");
