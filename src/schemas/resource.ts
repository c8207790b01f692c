import { z } from "zod";
import { PageQuery, Timestamp } from "./primitives.ts";

export const FileResourceParams = z
  .strictObject({
    type: z.literal("file"),
    file_id: z.string().min(1),
    /** Rooted under `/mnt/session/uploads`; `/data.csv` becomes `/mnt/session/uploads/data.csv`. */
    mount_path: z.string().min(1).max(1024).nullish(),
  })
  .meta({ id: "FileResourceParams" });
export type FileResourceParams = z.infer<typeof FileResourceParams>;

export const FileResource = z
  .object({
    id: z.string(),
    type: z.literal("file"),
    /** Of the session's own copy, not of the uploaded file. */
    file_id: z.string(),
    mount_path: z.string(),
    created_at: Timestamp,
    updated_at: Timestamp,
  })
  .meta({ id: "FileResource" });
export type FileResource = z.infer<typeof FileResource>;

export const ResourceListQuery = PageQuery.extend({ limit: z.coerce.number().int().min(1).max(1000).default(1000) });
export type ResourceListQuery = z.infer<typeof ResourceListQuery>;
