import { z } from "zod";
import { RetryableError } from "../../src/errors.ts";
import type { SlackApi } from "./web-api.ts";

export interface OutgoingFile {
  filename: string;
  bytes: number;
  content(): Promise<ReadableStream<Uint8Array>>;
}

const TRANSFER_TIMEOUT_MS = 600_000;

const Target = z.looseObject({ upload_url: z.url(), file_id: z.string().min(1) });

/**
 * Brings a file's bytes to Slack, and resolves with Slack's id of it. Nobody sees it before an upload is completed.
 * Rejects as `SlackApi.call` does; RetryableError when the transfer breaks off.
 */
export async function transferFile(
  api: SlackApi,
  team: string,
  file: OutgoingFile,
  signal: AbortSignal,
): Promise<string> {
  const target = await api.call(
    { team, method: "files.getUploadURLExternal" },
    (client) => client.files.getUploadURLExternal({ filename: file.filename, length: file.bytes }),
    Target,
    signal,
  );
  const body = await file.content();
  const limit = AbortSignal.any([signal, AbortSignal.timeout(TRANSFER_TIMEOUT_MS)]);
  let response: Response;
  try {
    response = await fetch(target.upload_url, {
      method: "POST",
      headers: { "content-type": "application/octet-stream", "content-length": String(file.bytes) },
      body,
      duplex: "half",
      redirect: "error",
      signal: limit,
    });
    await response.body?.cancel();
  } catch (error) {
    signal.throwIfAborted();
    throw new RetryableError(`The upload of ${file.filename} to Slack broke off.`, { cause: error });
  }
  if (!response.ok) throw new RetryableError(`Slack answered the upload of ${file.filename} with ${response.status}.`);
  return target.file_id;
}
