import { createHash } from "node:crypto";
import { messageOf, RetryableError, TerminalError } from "../../src/errors.ts";
import type { Logger } from "../../src/log.ts";
import { plainName } from "../shared/attachments.ts";
import type { ChatFile, MessageRef } from "../shared/chat-surface.ts";
import type { ChatThreadKey } from "../shared/chat-thread.ts";
import type { TeamsAttachment } from "./cards/adaptive-card.ts";
import { consentActivity, fileInfoCard } from "./cards/consent-card.ts";
import { filesActivity, type OfferedFile } from "./cards/files-card.ts";
import type { ConsentStore } from "./consent-store.ts";
import type { FileHosts } from "./file-hosts.ts";
import type { TeamsGraph } from "./graph.ts";
import { uploadToChannel } from "./graph-files.ts";
import type { GraphThreads } from "./graph-threads.ts";
import type { TeamsPosting } from "./posting.ts";
import { TeamsTerminalError } from "./refusals.ts";
import type { ConversationRef } from "./teams-connector.ts";
import { teamsThread } from "./teams-thread.ts";

export interface UploadDeps {
  posting: TeamsPosting;
  /** Null in clouds where bots have no files. */
  consents: Pick<ConsentStore, "offer" | "posted"> | null;
  /** Null where the app may not ask Graph. */
  graph: TeamsGraph | null;
  graphThreads: GraphThreads;
  hosts: FileHosts;
  log: Logger;
  now: () => number;
}

/**
 * All files in one message: what each is, its first page as a picture, and a link to download it. In a personal chat each is
 * offered for the person's OneDrive besides, in a message of its own, as Teams wants it; in a channel the files lie in the
 * channel's folder where the app may write there.
 *
 * The offers come first, and each is noted when it is posted: an attempt that is repeated makes only those that are missing.
 */
export async function uploadFiles(
  deps: UploadDeps,
  thread: ChatThreadKey,
  files: readonly ChatFile[],
  marker: string,
  signal: AbortSignal,
): Promise<MessageRef> {
  const { posting, now } = deps;
  const ref = await posting.reference(thread);
  const cards: TeamsAttachment[] = [];
  const offered: OfferedFile[] = [];
  let pictureBytes = PICTURES_BYTES_MAX;
  for (const file of files) {
    const asked = ref.kind === "personal" && (await offer(deps, thread, file, marker, signal));
    const stored = ref.kind === "channel" ? await store(deps, thread, ref, file, signal) : null;
    if (stored) cards.push(stored);
    const preview = await previewOf(deps, file, pictureBytes, signal);
    pictureBytes -= preview?.byteLength ?? 0;
    const link = await file.link(signal);
    offered.push({ file, preview, link, note: link || stored || asked ? null : NO_LINK });
  }
  const activity = (pictures: boolean) =>
    filesActivity(
      offered.map((each) => (pictures ? each : { ...each, preview: null })),
      cards,
      now(),
    );
  try {
    return await posting.send(thread, activity(true), signal);
  } catch (error) {
    if (!isTooLarge(error) || pictureBytes === PICTURES_BYTES_MAX) throw error;
    return await posting.send(thread, activity(false), signal);
  }
}

const NO_LINK = "Whoever runs Deckhand can get at it through the API.";
/** Of one message; Teams does not count pictures as its text, and does not say what it does count. */
const PICTURES_BYTES_MAX = 1_500_000;
const PICTURE_BYTES_MAX = 700_000;
const ID_CHARS = 32;

/** False when Teams does not take the offer: the file is still to be had by its link. */
async function offer(
  { posting, consents, log }: UploadDeps,
  thread: ChatThreadKey,
  file: ChatFile,
  marker: string,
  signal: AbortSignal,
): Promise<boolean> {
  if (!consents || file.sizeBytes === 0) return false;
  const { id: fileId, sizeBytes } = file;
  const id = createHash("sha256").update(`${thread}\n${marker}\n${fileId}`).digest("hex").slice(0, ID_CHARS);
  const filename = plainName(file.filename);
  const consent = await consents.offer({ id, thread, fileId, filename, sizeBytes });
  if (consent.activityId !== null) return true;
  try {
    const card = consentActivity({ consentId: id, filename: consent.filename, sizeBytes });
    await consents.posted(id, await posting.send(thread, card, signal));
    return true;
  } catch (error) {
    if (!(error instanceof TeamsTerminalError)) throw error;
    log.warn({ chat_thread_key: thread, file_id: fileId, error: error.message }, "a file was not offered");
    return false;
  }
}

async function store(
  { graph, graphThreads, hosts, log }: UploadDeps,
  thread: ChatThreadKey,
  ref: ConversationRef,
  file: ChatFile,
  signal: AbortSignal,
): Promise<TeamsAttachment | null> {
  if (!graph || file.sizeBytes === 0) return null;
  const at = await graphThreads.of(teamsThread(thread), ref, signal);
  if (!at) return null;
  try {
    return fileInfoCard(await uploadToChannel({ graph, hosts }, at, file, signal));
  } catch (error) {
    if (!(error instanceof TerminalError)) throw error;
    log.warn({ chat_thread_key: thread, file_id: file.id, error: error.message }, "a file is not in its channel");
    return null;
  }
}

/** A file is worth having without its picture. */
async function previewOf({ log }: UploadDeps, file: ChatFile, bytesMax: number, signal: AbortSignal) {
  try {
    const png = await file.preview(signal);
    const fits = png !== null && png.byteLength > 0 && png.byteLength <= Math.min(PICTURE_BYTES_MAX, bytesMax);
    return fits ? png : null;
  } catch (error) {
    signal.throwIfAborted();
    log.warn({ file_id: file.id, error: messageOf(error) }, "preview not posted");
    return null;
  }
}

function isTooLarge(error: unknown): boolean {
  if (error instanceof RetryableError || !(error instanceof TeamsTerminalError)) return false;
  return error.refusal.status === 413 || error.refusal.status === 400;
}
