import { z } from "zod";
import { messageOf, RetryableError, TerminalError } from "../../src/errors.ts";
import { formatBytes } from "../shared/render.ts";

/** The address takes or gives nothing any more: it was used, or its time is over. */
export class AddressOverError extends TerminalError {
  override readonly name = "AddressOverError";
}

export interface Upload {
  /** Of an upload session. Lets anybody write who has it, so no token goes there. */
  url: string;
  sizeBytes: number;
  /** Opens the content anew. */
  content(): Promise<ReadableStream<Uint8Array>>;
}

/** OneDrive wants multiples of 320 KiB, at most 60 MiB. */
const PART_BYTES = 32 * 320 * 1024;
const PART_TIMEOUT_MS = 120_000;
const STATE_TIMEOUT_MS = 15_000;
const DOWNLOAD_TIMEOUT_MS = 300_000;
/** An address that opens by itself answers so, too, once its time is over. */
const OVER = new Set([401, 403, 404, 410]);
const OUT_OF_RANGE = 416;

const State = z.looseObject({ nextExpectedRanges: z.array(z.string()).nullish() });

/**
 * Sends a file in parts, one after the other. What an attempt before this one has sent is not sent again. Resolves with what
 * was answered to the last part.
 * @throws AddressOverError, TerminalError when it is refused, RetryableError, the signal's reason
 */
export async function uploadInParts(upload: Upload, signal: AbortSignal): Promise<unknown> {
  const sent = await sendParts(upload, 0, signal);
  if (sent !== OUT_OF_RANGE) return sent.answer;
  const again = await sendParts(upload, await nextByte(upload.url, signal), signal);
  if (again === OUT_OF_RANGE) throw new RetryableError("Another upload of the same file is under way.");
  return again.answer;
}

/**
 * What an address gives that needs no token.
 * @throws AddressOverError when it gives nothing any more; TerminalError for what is too large; RetryableError
 */
export async function download(
  address: string,
  headers: Record<string, string>,
  bytesMax: number,
  signal: AbortSignal,
): Promise<Blob> {
  const limit = AbortSignal.any([signal, AbortSignal.timeout(DOWNLOAD_TIMEOUT_MS)]);
  return await transfer("The download", signal, async () => {
    const response = await fetch(address, { headers, redirect: "manual", signal: limit });
    if (!response.ok) {
      await response.body?.cancel();
      throw refusal("The download", response.status);
    }
    return await readAtMost(response, bytesMax);
  });
}

async function sendParts({ url, sizeBytes, content }: Upload, from: number, signal: AbortSignal) {
  let start = from;
  let answer: unknown = null;
  for await (const part of partsOf(await content(), from)) {
    const end = start + part.byteLength - 1;
    if (end >= sizeBytes) throw new TerminalError("The file is not the one that was offered.");
    const headers = {
      "content-range": `bytes ${start}-${end}/${sizeBytes}`,
      "content-type": "application/octet-stream",
    };
    const limit = AbortSignal.any([signal, AbortSignal.timeout(PART_TIMEOUT_MS)]);
    const put = await transfer("The upload", signal, async () => {
      const response = await fetch(url, { method: "PUT", headers, body: part, redirect: "manual", signal: limit });
      const text = await response.text();
      if (response.status === OUT_OF_RANGE) return OUT_OF_RANGE;
      if (!response.ok) throw refusal("The upload", response.status);
      return { answer: parsedJson(text) };
    });
    if (put === OUT_OF_RANGE) return OUT_OF_RANGE;
    answer = put.answer;
    start = end + 1;
  }
  if (start !== sizeBytes) throw new TerminalError("The file is not the one that was offered.");
  return { answer };
}

/** Where an upload that broke off goes on. */
async function nextByte(url: string, signal: AbortSignal): Promise<number> {
  const limit = AbortSignal.any([signal, AbortSignal.timeout(STATE_TIMEOUT_MS)]);
  return await transfer("The upload", signal, async () => {
    const response = await fetch(url, { redirect: "manual", signal: limit });
    const text = await response.text();
    if (!response.ok) throw refusal("The upload", response.status);
    const [next = ""] = State.safeParse(parsedJson(text)).data?.nextExpectedRanges ?? [];
    return Number(/^\d+/.exec(next)?.[0] ?? 0);
  });
}

/** Parts of the content behind the first bytes, each as long as a part may be but for the last. */
async function* partsOf(content: ReadableStream<Uint8Array>, skip: number): AsyncGenerator<Uint8Array<ArrayBuffer>> {
  let toSkip = skip;
  let held: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of content) {
    let rest = chunk.subarray(Math.min(toSkip, chunk.byteLength));
    toSkip -= chunk.byteLength - rest.byteLength;
    while (rest.byteLength > 0) {
      const piece = rest.subarray(0, PART_BYTES - bytes);
      held.push(piece);
      bytes += piece.byteLength;
      rest = rest.subarray(piece.byteLength);
      if (bytes < PART_BYTES) continue;
      yield Buffer.concat(held);
      held = [];
      bytes = 0;
    }
  }
  if (bytes > 0) yield Buffer.concat(held);
}

async function transfer<Result>(what: string, signal: AbortSignal, work: () => Promise<Result>): Promise<Result> {
  try {
    return await work();
  } catch (error) {
    signal.throwIfAborted();
    if (error instanceof TerminalError || error instanceof RetryableError) throw error;
    // The address may be in the message, and must not get into a log.
    throw new RetryableError(`${what} broke off${error instanceof TypeError ? "" : `: ${messageOf(error)}`}.`);
  }
}

function refusal(what: string, status: number): RetryableError | TerminalError {
  if (OVER.has(status)) return new AddressOverError(`${what} address is over.`);
  if (status === 408 || status === 429 || status >= 500)
    return new RetryableError(`${what} was answered with ${status}.`);
  return new TerminalError(`${what} was refused with ${status}.`);
}

async function readAtMost(response: Response, bytesMax: number): Promise<Blob> {
  const pieces: Uint8Array<ArrayBuffer>[] = [];
  let bytes = 0;
  for await (const piece of response.body ?? []) {
    bytes += piece.byteLength;
    if (bytes > bytesMax) throw new TerminalError(`It is larger than ${formatBytes(bytesMax)}.`);
    pieces.push(piece);
  }
  return new Blob(pieces);
}

function parsedJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
