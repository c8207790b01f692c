import { NotFoundError, type Anthropic } from "@anthropic-ai/sdk";
import { TerminalError } from "../../src/errors.ts";
import type { ChatFile, ChatMessage } from "./chat-surface.ts";
import type { DeliveryScope } from "./delivery-scope.ts";
import { postOnce, type PostOnce } from "./post-once.ts";
import { notice } from "./render.ts";

export interface OutputDeps extends DeliveryScope {
  once: PostOnce;
  post(item: string, message: ChatMessage): Promise<void>;
}

const TRANSFER_TIMEOUT_MS = 600_000;
const PREVIEW_TIMEOUT_MS = 60_000;
const LIST_TIMEOUT_MS = 30_000;

/** Brings the files that the session made, and that this thread has not had yet, into the thread in one message. */
export async function deliverOutputs(deps: OutputDeps, turnEndId: string): Promise<void> {
  const { client, surface, thread, signal, once } = deps;
  const item = `files:${turnEndId}`;
  const batch = await batchFor(deps, item);
  if (batch.length === 0) return;
  const files = batch.map((file) => chatFile(client, file));
  const ids = batch.map((file) => file.id);
  try {
    await postOnce(once, item, (marker) => surface.upload(thread, files, marker, signal), ids);
  } catch (error) {
    if (!(error instanceof TerminalError)) throw error;
    deps.log.error({ chat_thread_key: thread, item, error: error.message }, "files refused by the surface");
    const names = files.map((file) => `\`${file.filename}\``).join(", ");
    await deps.post(`refused:${turnEndId}`, notice("error", `I could not post ${names} here: ${error.message}`));
  }
}

type FileMetadata = Anthropic.Beta.BetaFileMetadata;

/** The files of an earlier attempt at this item, exactly; else those that no item has had. */
async function batchFor({ client, store, thread, sessionId, signal }: OutputDeps, item: string) {
  const outputs: FileMetadata[] = [];
  const listed = client.beta.files.list(
    { scope_id: sessionId, betas: ["managed-agents-2026-04-01"] },
    { signal, timeout: LIST_TIMEOUT_MS },
  );
  for await (const file of listed) if (file.downloadable) outputs.push(file);
  if (outputs.length === 0) return [];

  const had = await store.deliveries.files(thread);
  const intended = outputs.filter((file) => had.get(file.id) === item);
  return intended.length > 0 ? intended : outputs.filter((file) => !had.has(file.id));
}

function chatFile(client: Anthropic, file: FileMetadata): ChatFile {
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
    async preview(signal) {
      try {
        const path = `/v1/files/${encodeURIComponent(file.id)}/preview`;
        const response = await client.get(path, { signal, timeout: PREVIEW_TIMEOUT_MS }).asResponse();
        return new Uint8Array(await response.arrayBuffer());
      } catch (error) {
        if (error instanceof NotFoundError) return null;
        throw error;
      }
    },
    link: async () => null,
  };
}
