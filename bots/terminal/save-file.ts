import { createHash } from "node:crypto";
import { createReadStream, createWriteStream, existsSync } from "node:fs";
import { constants, copyFile, link, mkdir, rm, stat } from "node:fs/promises";
import path from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { RetryableError } from "../../src/errors.ts";
import { freeName, plainName } from "../shared/attachments.ts";
import type { ChatFile } from "../shared/chat-surface.ts";
import type { Transcript } from "./transcript.ts";

export interface SavedFile {
  /** As it is called in the folder, which may differ from what the agent called it. */
  name: string;
  path: string;
  bytes: number;
}

/**
 * Saves a file in a folder under its own name, or a numbered one when that is taken: nothing is ever overwritten. The
 * transcript says where before the file appears, so that a second attempt after a crash finds it and makes no copy.
 */
export async function saveFile(
  transcript: Transcript,
  folder: string,
  file: ChatFile,
  signal: AbortSignal,
): Promise<SavedFile> {
  const done = transcript.entries.find((entry) => entry.type === "saved" && entry.fileId === file.id);
  if (done?.type === "saved") return { name: path.basename(done.path), path: done.path, bytes: done.bytes };

  signal.throwIfAborted();
  await mkdir(folder, { recursive: true });
  const draft = path.join(folder, `.${file.id}.part`);
  try {
    await download(file, draft, signal);
    const target = (await earlierAttempt(transcript, file, draft)) ?? (await place(transcript, folder, file, draft));
    await transcript.append({ type: "saved", fileId: file.id, path: target, bytes: file.sizeBytes });
    return { name: path.basename(target), path: target, bytes: file.sizeBytes };
  } finally {
    await rm(draft, { force: true });
  }
}

async function download(file: ChatFile, draft: string, signal: AbortSignal): Promise<void> {
  const content = Readable.fromWeb(await file.content(signal));
  try {
    await pipeline(content, createWriteStream(draft), { signal });
  } catch (error) {
    signal.throwIfAborted();
    throw error;
  }
  const { size } = await stat(draft);
  if (size !== file.sizeBytes) {
    throw new RetryableError(`${file.filename} arrived with ${size} bytes instead of ${file.sizeBytes}.`);
  }
}

/** Where an attempt that died has already put it. */
async function earlierAttempt(transcript: Transcript, file: ChatFile, draft: string): Promise<string | null> {
  for (const entry of transcript.entries) {
    if (entry.type !== "saving" || entry.fileId !== file.id || !existsSync(entry.path)) continue;
    if ((await hashOf(entry.path)) === (await hashOf(draft))) return entry.path;
  }
  return null;
}

async function place(transcript: Transcript, folder: string, file: ChatFile, draft: string): Promise<string> {
  while (true) {
    const name = freeName(plainName(file.filename), (candidate) => existsSync(path.join(folder, candidate)));
    const target = path.join(folder, name);
    await transcript.append({ type: "saving", fileId: file.id, path: target });
    try {
      await linkOrCopy(draft, target);
      return target;
    } catch (error) {
      if (codeOf(error) !== "EEXIST") throw error;
    }
  }
}

/** Either fails when the target exists. A link appears whole; some file systems have none. */
async function linkOrCopy(from: string, to: string): Promise<void> {
  try {
    await link(from, to);
  } catch (error) {
    if (!["EPERM", "ENOTSUP", "ENOSYS", "EMLINK"].includes(codeOf(error))) throw error;
    await copyFile(from, to, constants.COPYFILE_EXCL);
  }
}

function codeOf(error: unknown): string {
  return error instanceof Error && "code" in error ? String(error.code) : "";
}

async function hashOf(file: string): Promise<string> {
  const hash = createHash("sha256");
  await pipeline(createReadStream(file), hash);
  return hash.digest("hex");
}
