import { z } from "zod";
import type { FileLinks } from "../../files/file-links.ts";
import type { Files } from "../../files/files.ts";
import { page } from "../../schemas/primitives.ts";
import { FileLink, FileLinkParams, FileListQuery, FileMetadata } from "../../schemas/file.ts";
import { readFileForm } from "../file-form.ts";
import { sendBytes, sendFile } from "../file-reply.ts";
import { forwardPage } from "../pagination.ts";
import type { Server } from "../server.ts";

const FilePath = z.object({ file_id: z.string() });
const FileDeleted = z.object({ id: z.string(), type: z.literal("file_deleted") });
const DEFAULT_LIMIT = 20;
/** Only to be read by people: a form comes as a stream, and `readFileForm` checks it part by part. */
const FileForm = z.object({
  file: z.string().meta({ format: "binary" }),
  expires_in_seconds: z.int().min(3_600).max(7_776_000).optional(),
});
const tags = ["Files"];

const binary = (contentType: string, description: string) => ({
  200: { description, content: { [contentType]: { schema: z.string().meta({ format: "binary" }) } } },
});

export function fileRoutes(app: Server, files: Files, links: Pick<FileLinks, "create">): void {
  app.post(
    "/files",
    {
      validatorCompiler: () => (value) => ({ value }),
      schema: {
        tags,
        summary: "Upload a file",
        consumes: ["multipart/form-data"],
        body: FileForm,
        response: { 200: FileMetadata },
      },
    },
    async (request) => {
      const { draft, upload } = await readFileForm(request, files);
      return files.publish(request.workspaceId, draft, upload);
    },
  );

  app.get(
    "/files",
    { schema: { tags, summary: "List files", querystring: FileListQuery, response: { 200: page(FileMetadata) } } },
    async (request) => {
      const { workspaceId, query } = request;
      const { ids, scope_id: sessionId } = query;
      const limit = ids ? Math.max(1, ids.length) : (query.limit ?? DEFAULT_LIMIT);
      return forwardPage({ limit, page: query.page }, (keyset) => files.list(workspaceId, { ids, sessionId }, keyset));
    },
  );

  app.get(
    "/files/:file_id",
    { schema: { tags, summary: "Get a file's metadata", params: FilePath, response: { 200: FileMetadata } } },
    ({ workspaceId, params }) => files.get(workspaceId, params.file_id),
  );

  app.get(
    "/files/:file_id/content",
    {
      schema: {
        tags,
        summary: "Download a file that an agent made",
        params: FilePath,
        response: binary("application/octet-stream", "The file's bytes, with its own content type."),
      },
    },
    async ({ workspaceId, params }, reply) => sendFile(reply, await files.download(workspaceId, params.file_id)),
  );

  app.get(
    "/files/:file_id/preview",
    {
      schema: {
        tags,
        summary: "Get a picture of a file",
        description: "Not part of the hosted API.",
        params: FilePath,
        response: binary("image/png", "What the file looks like."),
      },
    },
    async ({ workspaceId, params }, reply) =>
      sendBytes(reply, "image/png").send(await files.openPreview(workspaceId, params.file_id)),
  );

  app.post(
    "/files/:file_id/link",
    {
      schema: {
        tags,
        summary: "Make a link to a file that an agent made",
        description: "Not part of the hosted API. Whoever has the link can download the file until it expires.",
        params: FilePath,
        body: FileLinkParams.prefault({}),
        response: { 200: FileLink },
      },
    },
    async ({ workspaceId, params, body }) => {
      const { url, expiresAt } = await links.create(workspaceId, params.file_id, body.expires_in_seconds);
      return { type: "file_link" as const, url, expires_at: expiresAt.toISOString() };
    },
  );

  app.delete(
    "/files/:file_id",
    { schema: { tags, summary: "Delete a file", params: FilePath, response: { 200: FileDeleted } } },
    async ({ workspaceId, params }) => {
      await files.delete(workspaceId, params.file_id);
      return { id: params.file_id, type: "file_deleted" as const };
    },
  );
}
