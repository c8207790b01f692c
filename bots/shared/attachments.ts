import { toFile, type Anthropic } from "@anthropic-ai/sdk";

/** A file that came with a person's message. */
export interface Attachment {
  filename: string;
  /** May be read more than once. */
  content(signal: AbortSignal): Promise<Blob>;
}

const MOUNT_ROOT = "/mnt/session/uploads";
const UPLOAD_TIMEOUT_MS = 600_000;
const REQUEST_TIMEOUT_MS = 30_000;
const NAME_CHARS_MAX = 120;

/** Uploads the attachments and puts them into the session, each under a name of its own. Returns where the agent finds them. */
export async function mountAttachments(
  client: Anthropic,
  sessionId: string,
  attachments: Attachment[],
  signal: AbortSignal,
): Promise<string[]> {
  if (attachments.length === 0) return [];
  const request = { signal, timeout: REQUEST_TIMEOUT_MS };
  const taken = new Set<string>();
  for await (const resource of client.beta.sessions.resources.list(sessionId, {}, request)) {
    if ("mount_path" in resource) taken.add(String(resource.mount_path).toLowerCase());
  }
  const mounted: string[] = [];
  for (const attachment of attachments) {
    const name = freeName(plainName(attachment.filename), (name) => taken.has(`${MOUNT_ROOT}/${name}`.toLowerCase()));
    const file = await toFile(await attachment.content(signal), name);
    const uploaded = await client.beta.files.upload({ file }, { signal, timeout: UPLOAD_TIMEOUT_MS });
    const resource = await client.beta.sessions.resources.add(
      sessionId,
      { type: "file", file_id: uploaded.id, mount_path: `/${name}` },
      request,
    );
    taken.add(resource.mount_path.toLowerCase());
    mounted.push(resource.mount_path);
  }
  return mounted;
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

/** Pure: the last part of a path, without what a file system or a shell would trip over, and not too long. */
export function plainName(filename: string): string {
  const base = filename.split(/[/\\]/).at(-1) ?? "";
  const clean = base
    .replaceAll(/\p{Cc}/gu, "")
    .trim()
    .replace(/^\.+/, "");
  if (clean === "") return "file";
  if (clean.length <= NAME_CHARS_MAX) return clean;
  const extension = /\.[^.]{1,12}$/.exec(clean)?.[0] ?? "";
  return clean.slice(0, NAME_CHARS_MAX - extension.length).trimEnd() + extension;
}
