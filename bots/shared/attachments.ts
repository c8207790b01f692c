import { APIError, toFile, type Anthropic } from "@anthropic-ai/sdk";
import { TerminalError } from "../../src/errors.ts";
import { apiErrorText } from "./api-errors.ts";
import type { MissingFile } from "./user-message.ts";

/** A file that came with a person's message. */
export interface Attachment {
  filename: string;
  /** May be read more than once. A `File` goes by its own name: some surfaces learn it only then. */
  content(signal: AbortSignal): Promise<Blob>;
}

const MOUNT_ROOT = "/mnt/session/uploads";
const UPLOAD_TIMEOUT_MS = 600_000;
const REQUEST_TIMEOUT_MS = 30_000;
const NAME_CHARS_MAX = 120;
/** What the server answers to a file that it will never take: bad, or too large. */
const REFUSED = new Set([400, 413]);

/** What became of the attachments, in their order. */
export interface Mounted {
  /** Where the agent finds each; null for one that can't be had. */
  paths: (string | null)[];
  missing: MissingFile[];
}

/**
 * Uploads the attachments and puts them into the session, each under a name of its own. One whose `content` rejects with
 * TerminalError, or that the server won't take, is passed over and named with the reason.
 * @throws whatever else `content` rejects with; API errors
 */
export async function mountAttachments(
  client: Anthropic,
  sessionId: string,
  attachments: readonly Attachment[],
  signal: AbortSignal,
): Promise<Mounted> {
  const mounted: Mounted = { paths: [], missing: [] };
  if (attachments.length === 0) return mounted;
  const request = { signal, timeout: REQUEST_TIMEOUT_MS };
  const taken = new Set<string>();
  for await (const resource of client.beta.sessions.resources.list(sessionId, {}, request)) {
    if ("mount_path" in resource) taken.add(String(resource.mount_path).toLowerCase());
  }
  for (const attachment of attachments) {
    const isTaken = (name: string) => taken.has(`${MOUNT_ROOT}/${name}`.toLowerCase());
    const uploaded = await upload(client, attachment, isTaken, signal);
    if ("reason" in uploaded) {
      mounted.missing.push({ filename: attachment.filename, reason: uploaded.reason });
      mounted.paths.push(null);
      continue;
    }
    const resource = await client.beta.sessions.resources.add(
      sessionId,
      { type: "file", file_id: uploaded.id, mount_path: `/${uploaded.name}` },
      request,
    );
    taken.add(resource.mount_path.toLowerCase());
    mounted.paths.push(resource.mount_path);
  }
  return mounted;
}

async function upload(
  client: Anthropic,
  attachment: Attachment,
  isTaken: (name: string) => boolean,
  signal: AbortSignal,
): Promise<{ id: string; name: string } | { reason: string }> {
  try {
    const content = await attachment.content(signal);
    const given = content instanceof File ? content.name : attachment.filename;
    const name = freeName(plainName(given), isTaken);
    const file = await toFile(content, name);
    const { id } = await client.beta.files.upload({ file }, { signal, timeout: UPLOAD_TIMEOUT_MS });
    return { id, name };
  } catch (error) {
    if (error instanceof TerminalError) return { reason: error.message };
    if (error instanceof APIError && REFUSED.has(Number(error.status))) {
      return { reason: apiErrorText(error) ?? "The server does not take it." };
    }
    throw error;
  }
}

/** Pure: a file name as it is, or numbered before its extension until it is free: `report (2).xlsx`. */
export function freeName(name: string, isTaken: (name: string) => boolean): string {
  if (!isTaken(name)) return name;
  const dot = name.lastIndexOf(".");
  const [stem, extension] = dot > 0 ? [name.slice(0, dot), name.slice(dot)] : [name, ""];
  for (let number = 2; ; number++) {
    const numbered = `${stem} (${number})${extension}`;
    if (!isTaken(numbered)) return numbered;
  }
}

/** Pure: the last part of a path, without what a file system, a shell or a list of paths would trip over, and not too long. */
export function plainName(filename: string): string {
  const base = filename.split(/[/\\]/).at(-1) ?? "";
  const clean = base
    .replaceAll(/[\p{Cc}\u2028\u2029]/gu, "")
    .replaceAll(/[<>]/g, "_")
    .trim()
    .replace(/^\.+/, "");
  if (clean === "") return "file";
  if (clean.length <= NAME_CHARS_MAX) return clean;
  const extension = /\.[^.]{1,12}$/.exec(clean)?.[0] ?? "";
  return clean.slice(0, NAME_CHARS_MAX - extension.length).trimEnd() + extension;
}
