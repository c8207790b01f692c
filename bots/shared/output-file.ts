import { NotFoundError, type Anthropic } from "@anthropic-ai/sdk";
import { z } from "zod";
import type { ChatFile, FileLink } from "./chat-surface.ts";

export type FileMetadata = Anthropic.Beta.BetaFileMetadata;

const TRANSFER_TIMEOUT_MS = 600_000;
const PREVIEW_TIMEOUT_MS = 60_000;
const LINK_TIMEOUT_MS = 15_000;

/** Of `POST /v1/files/:id/link`, which is not part of the public API: another server may not have it. */
const FileLinkAnswer = z.object({
  type: z.literal("file_link"),
  url: z.url(),
  expires_at: z.iso.datetime({ offset: true }),
});

/** A file that a session made, as it is brought into a thread. What our server adds to the public API may be missing. */
export function outputFile(client: Anthropic, file: FileMetadata): ChatFile {
  const path = `/v1/files/${encodeURIComponent(file.id)}`;
  return {
    id: file.id,
    filename: file.filename,
    mimeType: file.mime_type,
    sizeBytes: file.size_bytes,
    async content(signal) {
      const response = await client.beta.files.download(file.id, {}, { signal, timeout: TRANSFER_TIMEOUT_MS });
      if (!response.body) throw new Error(`The server sent no content for ${file.filename}.`);
      return response.body;
    },
    preview: (signal) =>
      unlessMissing(async () => {
        const response = await client.get(`${path}/preview`, { signal, timeout: PREVIEW_TIMEOUT_MS }).asResponse();
        return new Uint8Array(await response.arrayBuffer());
      }),
    link: (signal) =>
      unlessMissing(async (): Promise<FileLink> => {
        const answer = await client.post(`${path}/link`, { body: {}, signal, timeout: LINK_TIMEOUT_MS });
        const { url, expires_at } = FileLinkAnswer.parse(answer);
        return { url, expiresAt: Date.parse(expires_at) };
      }),
  };
}

async function unlessMissing<Result>(request: () => Promise<Result>): Promise<Result | null> {
  try {
    return await request();
  } catch (error) {
    if (error instanceof NotFoundError) return null;
    throw error;
  }
}
