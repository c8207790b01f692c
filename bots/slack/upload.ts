import type { FilesCompleteUploadExternalArguments } from "@slack/web-api";
import { z } from "zod";
import { messageOf, RetryableError } from "../../src/errors.ts";
import type { Logger } from "../../src/log.ts";
import { wait } from "../shared/backoff.ts";
import type { ChatFile } from "../shared/chat-surface.ts";
import { formatBytes } from "../shared/render.ts";
import { uploadRendering, type UploadedFile } from "./blocks/upload-blocks.ts";
import { rateLimitMs, refusedWith } from "./errors.ts";
import { findPost } from "./find-post.ts";
import { markedBlocks, type Posting } from "./posting.ts";
import type { SlackThread } from "./slack-thread.ts";
import { transferFile } from "./transfer-file.ts";
import type { SlackApi } from "./web-api.ts";

export interface UploadDeps {
  api: SlackApi;
  posting: Posting;
  log: Logger;
  now: () => number;
  /** Larger files come as links. */
  fileBytesMax: number;
}

/**
 * All files in one message, each followed by the picture of its first page; what Slack refuses comes as a link in it.
 *
 * The message appears with `files.completeUploadExternal`, in full or not at all, so a process killed before leaves nothing
 * that people see. It carries the marker as the id of its block.
 */
export async function uploadFiles(
  deps: UploadDeps,
  thread: SlackThread,
  files: readonly ChatFile[],
  marker: string,
  signal: AbortSignal,
): Promise<string> {
  const sent: SentFile[] = [];
  for (const file of files) sent.push(await sendFile(deps, thread, file, signal));
  const uploads = sent.flatMap(({ uploads }) => uploads);
  if (uploads.length > 0) {
    try {
      return await complete(deps, thread, sent, uploads, marker, signal);
    } catch (error) {
      if (!refusedWith(error, REFUSED_FILES)) throw error;
      // Slack does not say which one, so none of them is in the message.
      for (const each of sent) if (each.refused === null) each.refused = error.message;
    }
  }
  const rendering = uploadRendering(await withLinks(sent, signal), deps.now());
  return await deps.posting.post(thread, [rendering], marker, signal);
}

interface SentFile {
  file: ChatFile;
  /** The file and its preview; none when it was refused. */
  uploads: { id: string; title: string }[];
  refused: string | null;
}

/** The message may come some time after the call that makes it. */
const APPEARS_AFTER_MS = [0, 100, 300, 600, 1_000, 2_000];
const CLOCKS_DIFFER_MAX_MS = 600_000;

const Share = z.looseObject({ ts: z.string(), thread_ts: z.string().nullish() });
const Shares = z.record(z.string(), z.array(Share)).nullish();
const Completed = z.looseObject({
  files: z
    .array(z.looseObject({ shares: z.looseObject({ public: Shares, private: Shares }).nullish().catch(null) }))
    .nullish(),
});

const REFUSED_FILES: ReadonlySet<string> = new Set([
  "file_uploads_disabled",
  "file_uploads_except_images_disabled",
  "file_upload_size_restricted",
  "file_type_not_allowed",
  "blocked_file_type",
  "slack_connect_file_upload_sharing_blocked",
  "slack_connect_blocked_file_ext",
  "slack_connect_clip_sharing_blocked",
  "storage_limit_reached",
  "missing_scope",
  "no_permission",
]);

async function sendFile(deps: UploadDeps, thread: SlackThread, file: ChatFile, signal: AbortSignal): Promise<SentFile> {
  const refused = (why: string): SentFile => ({ file, uploads: [], refused: why });
  if (file.sizeBytes === 0) return refused("it is empty");
  if (file.sizeBytes > deps.fileBytesMax) return refused(`it is larger than ${formatBytes(deps.fileBytesMax)}`);
  try {
    const content = () => file.content(signal);
    const id = await transferFile(
      deps.api,
      thread.team,
      { filename: file.filename, bytes: file.sizeBytes, content },
      signal,
    );
    const preview = await sendPreview(deps, thread, file, signal);
    return { file, uploads: [{ id, title: file.filename }, ...preview], refused: null };
  } catch (error) {
    if (refusedWith(error, REFUSED_FILES)) return refused(error.message);
    throw error;
  }
}

/** A file is worth having without its picture. */
async function sendPreview(deps: UploadDeps, thread: SlackThread, file: ChatFile, signal: AbortSignal) {
  try {
    const png = await file.preview(signal);
    if (!png || png.byteLength === 0) return [];
    const filename = `${file.filename} (preview).png`;
    const content = async () => new Blob([png.slice()]).stream();
    const id = await transferFile(deps.api, thread.team, { filename, bytes: png.byteLength, content }, signal);
    return [{ id, title: `Preview of ${file.filename}` }];
  } catch (error) {
    signal.throwIfAborted();
    deps.log.warn({ team: thread.team, file_id: file.id, error: messageOf(error) }, "preview not posted");
    return [];
  }
}

async function complete(
  deps: UploadDeps,
  thread: SlackThread,
  sent: readonly SentFile[],
  uploads: readonly { id: string; title: string }[],
  marker: string,
  signal: AbortSignal,
): Promise<string> {
  const { team, channel, threadTs } = thread;
  const [first, ...others] = uploads;
  if (!first) throw new Error("An upload without files.");
  const { blocks } = uploadRendering(await withLinks(sent, signal), deps.now());
  const args: FilesCompleteUploadExternalArguments = {
    channel_id: channel,
    thread_ts: threadTs,
    files: [first, ...others],
    blocks: markedBlocks(blocks, marker),
  };
  const call = { team, method: "files.completeUploadExternal", channel };
  let failure: unknown = null;
  try {
    const made = await deps.api.call(call, (client) => client.files.completeUploadExternal(args), Completed, signal);
    const ts = sharedAs(made, thread);
    if (ts !== null) return ts;
  } catch (error) {
    if (!(error instanceof RetryableError) || rateLimitMs(error) !== null) throw error;
    failure = error;
  }
  const since = ((deps.now() - CLOCKS_DIFFER_MAX_MS) / 1_000).toFixed(6);
  // Also after a failure that leaves open whether the message comes: a caller who asks for it too early would post twice.
  for (const afterMs of APPEARS_AFTER_MS) {
    await wait(afterMs, signal);
    const ts = await findPost(deps.api, thread, marker, since, signal);
    if (ts !== null) return ts;
  }
  if (failure !== null) throw failure;
  deps.log.warn({ team, channel, file_id: first.id }, "upload taken, but its message is not there yet");
  return `file:${first.id}`;
}

/** Where the answer tells of the message already. */
function sharedAs({ files }: z.infer<typeof Completed>, { channel, threadTs }: SlackThread): string | null {
  const shares = files?.[0]?.shares;
  const here = [...(shares?.public?.[channel] ?? []), ...(shares?.private?.[channel] ?? [])];
  return here.find(({ thread_ts }) => thread_ts === threadTs)?.ts ?? null;
}

async function withLinks(sent: readonly SentFile[], signal: AbortSignal): Promise<UploadedFile[]> {
  return await Promise.all(
    sent.map(async ({ file, refused }) => ({
      file,
      refused,
      link: refused === null ? null : await file.link(signal),
    })),
  );
}
