import type { FastifyRequest } from "fastify";
import { invalid } from "../errors.ts";
import type { Draft, Files, Upload } from "../files/files.ts";
import { FileExpiry } from "../schemas/file.ts";
import { describeIssues } from "./validation.ts";

const FIELD_BYTES_MAX = 1024;
const PARTS_MAX = 10;

/**
 * Reads the multipart form of an upload; its fields may come in any order. The bytes go to the blob store as they come.
 * @throws AppError `invalid_request` for anything but one `file` and one `expires_in_seconds`, `request_too_large` for
 *   too large a file; nothing is kept then
 */
export async function readFileForm(
  request: FastifyRequest,
  files: Pick<Files, "draft" | "discard">,
): Promise<{ draft: Draft; upload: Upload }> {
  if (!request.isMultipart()) throw invalid("content-type: send the file as `multipart/form-data`");
  const limits = { fileSize: Infinity, fieldSize: FIELD_BYTES_MAX, parts: PARTS_MAX };
  const received: { draft?: Draft; sender?: Pick<Upload, "filename" | "declaredType"> } = {};
  let expiresInSeconds: number | null = null;
  try {
    for await (const part of request.parts({ limits })) {
      if (part.type === "field" && part.fieldname === "expires_in_seconds") {
        expiresInSeconds = parseExpiry(part.value);
      } else if (part.type === "file" && part.fieldname === "file" && !received.draft) {
        received.sender = { filename: part.filename, declaredType: part.mimetype };
        received.draft = await files.draft(part.file);
      } else {
        throw invalid(`${part.fieldname}: Extra inputs are not permitted`);
      }
    }
    const { draft, sender } = received;
    if (!draft || !sender) throw invalid("file: Field required");
    return { draft, upload: { ...sender, expiresInSeconds } };
  } catch (error) {
    if (received.draft) await files.discard(received.draft);
    drain(request);
    throw error;
  }
}

function parseExpiry(given: unknown): number {
  const parsed = FileExpiry.safeParse(given);
  if (!parsed.success) throw invalid(describeIssues(parsed.error, "expires_in_seconds"));
  return parsed.data;
}

/** A client that still sends would not look for the answer before it is done. */
function drain(request: FastifyRequest): void {
  request.raw.unpipe();
  request.raw.resume();
}
