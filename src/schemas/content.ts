import { z } from "zod";

export const TextBlock = z.object({ type: z.literal("text"), text: z.string() });
export type TextBlock = z.infer<typeof TextBlock>;

const Base64Source = z.object({ type: z.literal("base64"), media_type: z.string().min(1), data: z.base64() });
const PlainTextSource = z.object({ type: z.literal("text"), media_type: z.literal("text/plain"), data: z.string() });
const UrlSource = z.object({ type: z.literal("url"), url: z.url() });
const FileSource = z.object({ type: z.literal("file"), file_id: z.string().min(1) });

export const ImageBlock = z.object({
  type: z.literal("image"),
  source: z.discriminatedUnion("type", [Base64Source, UrlSource, FileSource]),
});

export const DocumentBlock = z.object({
  type: z.literal("document"),
  source: z.discriminatedUnion("type", [Base64Source, PlainTextSource, UrlSource, FileSource]),
  title: z.string().nullable().optional(),
  context: z.string().nullable().optional(),
});

/** What a message or a tool result may hold. */
export const ContentBlock = z.discriminatedUnion("type", [TextBlock, ImageBlock, DocumentBlock]);
export type ContentBlock = z.infer<typeof ContentBlock>;

const SearchResultBlock = z.object({
  type: z.literal("search_result"),
  title: z.string(),
  source: z.string(),
  content: z.array(TextBlock),
  citations: z.object({ enabled: z.boolean() }),
});
export type SearchResultBlock = z.infer<typeof SearchResultBlock>;

/** What the result of a client's own tool may hold. */
export const ClientResultBlock = z.discriminatedUnion("type", [...ContentBlock.options, SearchResultBlock]);
export type ClientResultBlock = z.infer<typeof ClientResultBlock>;
