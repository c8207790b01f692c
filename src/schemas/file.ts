import { z } from "zod";
import { PageQuery, Timestamp } from "./common.ts";

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

export const FileListQuery = PageQuery.extend({
  ids: z.array(z.string()).max(100).optional(),
  scope_id: z.string().optional(),
});
export type FileListQuery = z.infer<typeof FileListQuery>;
