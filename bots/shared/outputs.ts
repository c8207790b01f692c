import { TerminalError } from "../../src/errors.ts";
import { placeOf } from "./chat-place.ts";
import type { ChatFile, ChatMessage } from "./chat-surface.ts";
import type { DeliveryScope } from "./delivery-scope.ts";
import { linksMessage, type LinkedFile } from "./file-links.ts";
import { type FileMetadata, outputFile } from "./output-file.ts";
import { postOnce, type PostOnce } from "./post-once.ts";

export interface OutputDeps extends DeliveryScope {
  once: PostOnce;
  post(item: string, message: ChatMessage): Promise<void>;
}

const LIST_TIMEOUT_MS = 30_000;

/**
 * Brings the files that the session made, and that this thread has not had yet, into the thread: in one message where the
 * surface takes them, as links where it or the channel's policy does not.
 */
export async function deliverOutputs(deps: OutputDeps, turnEndId: string): Promise<void> {
  const { client, store, thread } = deps;
  const item = `files:${turnEndId}`;
  const batch = await batchFor(deps, item);
  if (batch.length === 0) return;
  const files = batch.map((file) => outputFile(client, file));
  if (!(await mayPost(deps))) {
    // The files count as this turn's, as if they had been uploaded with it.
    await store.deliveries.intend(
      thread,
      item,
      files.map(({ id }) => id),
    );
    return postLinks(deps, turnEndId, files, null);
  }
  const refusal = await upload(deps, item, files);
  if (refusal !== null) await postOneByOne(deps, turnEndId, files, refusal);
}

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

async function mayPost({ records, thread }: OutputDeps): Promise<boolean> {
  const place = placeOf(thread);
  return !records || !place || (await records.policies.of(place)).postFiles;
}

/** Null when they are there; else why the surface will not take them. */
async function upload({ surface, thread, signal, once, log }: OutputDeps, item: string, files: ChatFile[]) {
  try {
    const ids = files.map(({ id }) => id);
    await postOnce(once, item, (marker) => surface.upload(thread, files, marker, signal), ids);
    return null;
  } catch (error) {
    if (!(error instanceof TerminalError)) throw error;
    log.error({ chat_thread_key: thread, item, error: error.message }, "files refused by the surface");
    return error.message;
  }
}

/** One file that is refused does not keep the others out. */
async function postOneByOne(deps: OutputDeps, turnEndId: string, files: ChatFile[], refusal: string): Promise<void> {
  if (files.length === 1) return postLinks(deps, turnEndId, files, refusal);
  const refused: ChatFile[] = [];
  let why = refusal;
  for (const file of files) {
    const refusal = await uploadAgain(deps, `file:${turnEndId}:${file.id}`, file);
    if (refusal === null) continue;
    refused.push(file);
    why = refusal;
  }
  if (refused.length > 0) await postLinks(deps, turnEndId, refused, why);
}

/** As `upload`, for a file that is part of an item already. */
async function uploadAgain({ surface, thread, signal, once, log }: OutputDeps, item: string, file: ChatFile) {
  try {
    await postOnce(once, item, (marker) => surface.upload(thread, [file], marker, signal));
    return null;
  } catch (error) {
    if (!(error instanceof TerminalError)) throw error;
    log.error({ chat_thread_key: thread, item, error: error.message }, "file refused by the surface");
    return error.message;
  }
}

async function postLinks(deps: OutputDeps, turnEndId: string, files: ChatFile[], refusal: string | null) {
  const linked: LinkedFile[] = [];
  for (const file of files) linked.push({ file, link: await file.link(deps.signal) });
  await deps.post(`refused:${turnEndId}`, linksMessage(linked, refusal));
}
