import type { FastifyReply } from "fastify";
import { z } from "zod";
import type { Files } from "../../files/files.ts";
import { page } from "../../schemas/primitives.ts";
import { FileListQuery, FileMetadata } from "../../schemas/file.ts";
import { readFileForm } from "../file-form.ts";
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

export function fileRoutes(app: Server, files: Files): void {
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
    async ({ workspaceId, params }, reply) => {
      const { file, content } = await files.download(workspaceId, params.file_id);
      reply.header("content-length", file.size_bytes).header("content-disposition", attachment(file.filename));
      return sendBytes(reply, file.mime_type).send(content);
    },
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

  app.delete(
    "/files/:file_id",
    { schema: { tags, summary: "Delete a file", params: FilePath, response: { 200: FileDeleted } } },
    async ({ workspaceId, params }) => {
      await files.delete(workspaceId, params.file_id);
      return { id: params.file_id, type: "file_deleted" as const };
    },
  );
}

/** A file is somebody else's content: a browser must neither guess at it nor run it in this origin. */
function sendBytes(reply: FastifyReply, contentType: string): FastifyReply {
  return reply
    .header("content-type", contentType)
    .header("x-content-type-options", "nosniff")
    .header("content-security-policy", "sandbox; default-src 'none'");
}

function attachment(filename: string): string {
  const ascii = filename.replaceAll(/[^\x20-\x7e]|["\\%]/g, "_");
  const encoded = encodeURIComponent(filename).replaceAll(
    /['()*]/g,
    (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`,
  );
  return `attachment; filename="${ascii}"; filename*=UTF-8''${encoded}`;
}
