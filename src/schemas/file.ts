import { z } from "zod";
import { QueryList, Timestamp } from "./primitives.ts";

export const FileMetadata = z
  .object({
    id: z.string(),
    type: z.literal("file"),
    filename: z.string(),
    mime_type: z.string(),
    size_bytes: z.number().int(),
    created_at: Timestamp,
    /** Only what an agent made can be downloaded; an upload cannot. */
    downloadable: z.boolean(),
    expires_at: Timestamp.nullable(),
    scope: z.object({ type: z.literal("session"), id: z.string() }).nullable(),
  })
  .meta({ id: "FileMetadata" });
export type FileMetadata = z.infer<typeof FileMetadata>;

const IDS_MAX = 100;
const LIMIT_MAX = 100;

export const FileListQuery = z
  .object({
    ids: QueryList(z.string(), IDS_MAX).optional(),
    scope_id: z.string().optional(),
    /** 20 when left out. */
    limit: z.coerce.number().int().min(1).max(LIMIT_MAX).optional(),
    page: z.string().optional(),
  })
  .refine((query) => !query.ids || (query.limit === undefined && !query.page), {
    path: ["ids"],
    message: "can't be combined with `page` or `limit`",
  });
export type FileListQuery = z.infer<typeof FileListQuery>;

export const FileExpiry = z.coerce.number().int().min(3_600).max(7_776_000);

/** What somebody needs to download a file without an API key. Not part of the hosted API. */
export const FileLink = z
  .object({ type: z.literal("file_link"), url: z.string(), expires_at: Timestamp })
  .meta({ id: "FileLink" });
export type FileLink = z.infer<typeof FileLink>;

const LINK_SECONDS_DEFAULT = 86_400;

export const FileLinkParams = z.strictObject({
  expires_in_seconds: z.int().min(60).max(604_800).default(LINK_SECONDS_DEFAULT),
});
