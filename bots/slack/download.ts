import { z } from "zod";
import { RetryableError, TerminalError } from "../../src/errors.ts";
import { formatBytes } from "../shared/render.ts";
import type { SlackApi } from "./web-api.ts";

/**
 * A file that somebody posted. Its address is asked for anew each time: events of Slack Connect hold none.
 * Rejects with TerminalError, in words that complete "… can't be read: ", RetryableError, or the signal's reason.
 */
export async function downloadFile(
  api: SlackApi,
  team: string,
  fileId: string,
  bytesMax: number,
  signal: AbortSignal,
): Promise<Blob> {
  const call = { team, method: "files.info" };
  const { file } = await api.call(call, (client) => client.files.info({ file: fileId }), FileAnswer, signal);
  const address = file.url_private_download ?? file.url_private;
  if (!address) throw new TerminalError("Slack does not give this file to apps.");
  if ((file.size ?? 0) > bytesMax) throw tooLarge(bytesMax);

  const { client } = await api.workspace(team);
  if (file.is_external === true || !isSlackAddress(address, client.slackApiUrl))
    throw new TerminalError("this file is kept outside of Slack.");
  const limit = AbortSignal.any([signal, AbortSignal.timeout(DOWNLOAD_TIMEOUT_MS)]);
  try {
    const headers = { authorization: `Bearer ${client.token ?? ""}` };
    const response = await fetch(address, { headers, signal: limit });
    refuseOtherThan(response, file);
    const content = await readAtMost(response, bytesMax);
    if (file.mode === "hosted" && typeof file.size === "number" && content.size !== file.size)
      throw new RetryableError("The download from Slack broke off.");
    return content;
  } catch (error) {
    signal.throwIfAborted();
    if (error instanceof TerminalError || error instanceof RetryableError) throw error;
    throw new RetryableError("The download from Slack broke off.", { cause: error });
  }
}

const DOWNLOAD_TIMEOUT_MS = 300_000;
const SLACK_HOST = /(?:^|\.)(?:slack\.com|slack-files\.com|slack-gov\.com)$/;

const FileInfo = z.looseObject({
  url_private_download: z.string().nullish(),
  url_private: z.string().nullish(),
  size: z.number().nullish(),
  mode: z.string().nullish(),
  mimetype: z.string().nullish(),
  is_external: z.boolean().nullish(),
});
type FileInfo = z.infer<typeof FileInfo>;
const FileAnswer = z.looseObject({ file: FileInfo });

/** The token is for Slack alone, and a file's address may be anybody's. */
function isSlackAddress(address: string, slackApiUrl: string): boolean {
  if (!URL.canParse(address)) return false;
  const url = new URL(address);
  return url.origin === new URL(slackApiUrl).origin || (url.protocol === "https:" && SLACK_HOST.test(url.hostname));
}

function refuseOtherThan(response: Response, file: FileInfo): void {
  if (response.status === 429 || response.status >= 500)
    throw new RetryableError(`Slack answered a download with ${response.status}.`);
  if (!response.ok) throw new TerminalError("Slack does not let Deckhand read this file.");
  // Who may not read it gets a page to sign in, with status 200.
  const isPage = response.headers.get("content-type")?.startsWith("text/html") ?? false;
  const isFile = file.mimetype === "text/html" && response.headers.get("content-length") === String(file.size);
  if (isPage && !isFile)
    throw new TerminalError(
      "Deckhand may not read files in this workspace. Whoever runs it can see why with `./deckhand slack check`.",
    );
}

async function readAtMost(response: Response, bytesMax: number): Promise<Blob> {
  const pieces: Uint8Array<ArrayBuffer>[] = [];
  let bytes = 0;
  for await (const piece of response.body ?? []) {
    bytes += piece.byteLength;
    if (bytes > bytesMax) throw tooLarge(bytesMax);
    pieces.push(piece);
  }
  return new Blob(pieces);
}

function tooLarge(bytesMax: number): TerminalError {
  return new TerminalError(`it is larger than ${formatBytes(bytesMax)}.`);
}
