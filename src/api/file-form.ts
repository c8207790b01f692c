import type { FastifyRequest } from "fastify";
import { invalid, messageOf } from "../errors.ts";
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
  const form: { draft?: Draft; sender?: Pick<Upload, "filename" | "declaredType"> } = {};
  let expiresInSeconds: number | null = null;
  try {
    for await (const part of received(request.parts({ limits }))) {
      if (part.type === "field" && part.fieldname === "expires_in_seconds") {
        expiresInSeconds = parseExpiry(part.value);
      } else if (part.type === "file" && part.fieldname === "file" && !form.draft) {
        form.sender = { filename: part.filename, declaredType: part.mimetype };
        form.draft = await files.draft(received(part.file));
      } else {
        throw invalid(`${part.fieldname}: Extra inputs are not permitted`);
      }
    }
    const { draft, sender } = form;
    if (!draft || !sender) throw invalid("file: Field required");
    return { draft, upload: { ...sender, expiresInSeconds } };
  } catch (error) {
    if (form.draft) await files.discard(form.draft);
    drain(request);
    throw error;
  }
}

function parseExpiry(given: unknown): number {
  const parsed = FileExpiry.safeParse(given);
  if (!parsed.success) throw invalid(describeIssues(parsed.error, "expires_in_seconds"));
  return parsed.data;
}

/** What goes wrong while reading is the sender's doing; what goes wrong with what was read is not. */
async function* received<Item>(source: AsyncIterable<Item>): AsyncGenerator<Item> {
  try {
    yield* source;
  } catch (error) {
    if (error instanceof Error && "statusCode" in error) throw error;
    throw invalid(`The form can't be read: ${messageOf(error)}`, { cause: error });
  }
}

/** A client that still sends would not look for the answer before it is done. */
function drain(request: FastifyRequest): void {
  request.raw.unpipe();
  request.raw.resume();
}
