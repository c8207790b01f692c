import { z } from "zod";

/** RFC 3339 with milliseconds, as every time on the wire. */
export const Timestamp = z.iso.datetime();

const METADATA_PAIRS_MAX = 16;

export const Metadata = z
  .record(z.string().min(1).max(64), z.string().max(512))
  .refine((pairs) => Object.keys(pairs).length <= METADATA_PAIRS_MAX, {
    message: `at most ${METADATA_PAIRS_MAX} pairs are allowed`,
  });
export type Metadata = z.infer<typeof Metadata>;

/** A key that is null is deleted, the others are set, and those that are not named stay. */
export const MetadataPatch = z.record(z.string(), z.string().nullable());
export type MetadataPatch = z.infer<typeof MetadataPatch>;

/** Query of every list that pages by an opaque cursor. */
export const PageQuery = z.object({
  limit: z.coerce.number().int().min(1).max(100).default(20),
  /** Empty means the first page: that is how the SDK sends null. */
  page: z.string().optional(),
});
export type PageQuery = z.infer<typeof PageQuery>;

export const page = <Item extends z.ZodType>(item: Item) =>
  z.object({ data: z.array(item), next_page: z.string().nullable() });

/** A query-string boolean: the SDK sends `true` and `false`. */
export const QueryBoolean = z.enum(["true", "false"]).transform((value) => value === "true");

/** A query-string list; one value may come without brackets. */
export const QueryList = <Item extends z.ZodType>(item: Item, itemsMax: number) =>
  z.preprocess((given) => (typeof given === "string" ? [given] : given), z.array(item).max(itemsMax));

/** A time in a query string, in any offset. */
export const QueryTimestamp = z.iso.datetime({ offset: true });
