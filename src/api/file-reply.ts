import type { FastifyReply } from "fastify";
import type { OpenFile } from "../files/files.ts";

/** A file is somebody else's content: a browser must neither guess at it nor run it in this origin. */
export function sendBytes(reply: FastifyReply, contentType: string): FastifyReply {
  return reply
    .header("content-type", contentType)
    .header("x-content-type-options", "nosniff")
    .header("content-security-policy", "sandbox; default-src 'none'");
}

/** Streams a whole file, to be saved under its name. */
export function sendFile(reply: FastifyReply, { file, content }: OpenFile): FastifyReply {
  reply.header("content-length", file.size_bytes).header("content-disposition", attachment(file.filename));
  return sendBytes(reply, file.mime_type).send(content);
}

function attachment(filename: string): string {
  const ascii = filename.replaceAll(/[^\x20-\x7e]|["\\%]/g, "_");
  const encoded = encodeURIComponent(filename).replaceAll(
    /['()*]/g,
    (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`,
  );
  return `attachment; filename="${ascii}"; filename*=UTF-8''${encoded}`;
}
