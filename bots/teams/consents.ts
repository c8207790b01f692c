import { NotFoundError, type Anthropic } from "@anthropic-ai/sdk";
import { RetryableError, TerminalError } from "../../src/errors.ts";
import type { Logger } from "../../src/log.ts";
import type { ChatFile, FileLink } from "../shared/chat-surface.ts";
import { outputFile } from "../shared/output-file.ts";
import { storedActivity, unsavedActivity } from "./cards/consent-card.ts";
import type { AnsweredConsent, ConsentStore, ConsentUpload } from "./consent-store.ts";
import { type FileHosts, isFileAddress } from "./file-hosts.ts";
import { AddressOverError, uploadInParts } from "./file-transfer.ts";
import type { TeamsPosting } from "./posting.ts";
import type { OutboundActivity } from "./teams-connector.ts";

export interface ConsentDeps {
  client: Anthropic;
  consents: Pick<ConsentStore, "uploaded" | "settle">;
  posting: TeamsPosting;
  /** Where an upload may go. */
  hosts: FileHosts;
  log: Logger;
  now?: () => number;
}

const METADATA_TIMEOUT_MS = 15_000;
/** After that many attempts the person is told, and has the link. */
const ATTEMPTS_MAX = 8;

const DECLINED = "Not saved to your OneDrive.";
const FAILED = "It could not be saved to your OneDrive.";
const IN_DOUBT = "It may not have been saved to your OneDrive in full.";

/**
 * Does what a person answered to the offer of a file: uploads it and shows it, or says where else it is to be had. The card
 * that asked gives way to that. May be repeated at any point: a file that is there is not sent again.
 * @throws RetryableError and API errors when it is to be tried again
 */
export async function settleConsent(deps: ConsentDeps, consent: AnsweredConsent, signal: AbortSignal): Promise<void> {
  const { client, consents, log } = deps;
  const file = await offeredFile(client, consent, signal);
  const shown = await resultOf(deps, consent, file, signal);
  await replace(deps, consent, shown, signal);
  await consents.settle(consent.id);
  log.info({ chat_thread_key: consent.thread, consent: consent.id, answer: consent.answer }, "offer of a file settled");
}

async function resultOf(deps: ConsentDeps, consent: AnsweredConsent, file: ChatFile | null, signal: AbortSignal) {
  const { now = Date.now } = deps;
  const unsaved = async (why: string): Promise<OutboundActivity> => {
    const link: FileLink | null = file && (await file.link(signal));
    return unsavedActivity(consent, link, why, now());
  };
  const { answer, upload } = consent;
  if (answer === "declined") return await unsaved(DECLINED);
  if (!file) return await unsaved("The file is not there any more.");
  if (!upload) return await unsaved(FAILED);
  try {
    await sendFile(deps, consent, upload, file, signal);
    return storedActivity({ ...upload, url: upload.contentUrl });
  } catch (error) {
    signal.throwIfAborted();
    const lastTry = consent.attempts + 1 >= ATTEMPTS_MAX;
    if (!(error instanceof TerminalError) && !(lastTry && error instanceof RetryableError)) throw error;
    deps.log.warn({ consent: consent.id, error: error.message }, "an accepted file was not uploaded");
    // An upload that was whole when its process died leaves an address that is over, too.
    return await unsaved(error instanceof AddressOverError && consent.attempts > 0 ? IN_DOUBT : FAILED);
  }
}

async function sendFile(
  { consents, hosts }: ConsentDeps,
  consent: AnsweredConsent,
  upload: ConsentUpload,
  file: ChatFile,
  signal: AbortSignal,
): Promise<void> {
  const { uploadUrl } = upload;
  if (uploadUrl === null) return;
  if (!isFileAddress(uploadUrl, hosts)) throw new TerminalError("The upload address is not Microsoft's.");
  const { sizeBytes } = consent;
  await uploadInParts({ url: uploadUrl, sizeBytes, content: () => file.content(signal) }, signal);
  await consents.uploaded(consent, upload);
}

/** Null when it was deleted. */
async function offeredFile(client: Anthropic, { fileId }: AnsweredConsent, signal: AbortSignal) {
  try {
    const options = { signal, timeout: METADATA_TIMEOUT_MS };
    return outputFile(client, await client.beta.files.retrieveMetadata(fileId, {}, options));
  } catch (error) {
    if (error instanceof NotFoundError) return null;
    throw error;
  }
}

async function replace(
  { posting, log }: Pick<ConsentDeps, "posting" | "log">,
  { thread, activityId, id }: AnsweredConsent,
  activity: OutboundActivity,
  signal: AbortSignal,
): Promise<void> {
  try {
    if (activityId !== null && (await posting.update(thread, activityId, activity, "normal", signal))) return;
    await posting.send(thread, activity, signal);
  } catch (error) {
    if (!(error instanceof TerminalError)) throw error;
    log.warn({ chat_thread_key: thread, consent: id, error: error.message }, "nobody could be told of a file");
  }
}
