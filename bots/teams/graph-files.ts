import { createHash } from "node:crypto";
import { z } from "zod";
import { TerminalError } from "../../src/errors.ts";
import type { ChatFile } from "../shared/chat-surface.ts";
import type { StoredFile } from "./cards/consent-card.ts";
import { type FileHosts, isFileAddress } from "./file-hosts.ts";
import { download, uploadInParts } from "./file-transfer.ts";
import type { TeamsGraph } from "./graph.ts";
import type { GraphThread } from "./graph-messages.ts";

/** Graph takes up to 250 MB at once; a connection that breaks should not cost that much. */
const AT_ONCE_BYTES_MAX = 4 * 1024 * 1024;
const HASH_CHARS = 4;

const Folder = z.looseObject({ id: z.string(), parentReference: z.looseObject({ driveId: z.string() }) });
const Item = z.looseObject({
  name: z.string(),
  webUrl: z.string(),
  webDavUrl: z.string().nullish(),
  eTag: z.string().nullish(),
  id: z.string(),
});
const Session = z.looseObject({ uploadUrl: z.url() });
const Author = z.looseObject({ user: z.looseObject({ id: z.string().nullish() }).nullish() }).nullish();
const Shared = z.looseObject({
  createdBy: Author,
  lastModifiedBy: Author,
  parentReference: z.looseObject({ driveId: z.string().nullish() }).nullish(),
});
type Shared = z.infer<typeof Shared>;

/**
 * Puts a file into the channel's own folder, under a name that is its alone: Teams shows an older file's content for a name it
 * knows. Repeating it replaces the file by itself.
 * @throws GraphRefusedError, TerminalError, RetryableError, the signal's reason
 */
export async function uploadToChannel(
  { graph, hosts }: { graph: TeamsGraph; hosts: FileHosts },
  { tenant, channel }: GraphThread,
  file: ChatFile,
  signal: AbortSignal,
): Promise<StoredFile> {
  if (!channel) throw new TerminalError("Only channels have a folder.");
  const folder = await folderOf(graph, tenant, channel, signal);
  const name = uniqueName(file);
  const item = `/drives/${folder.parentReference.driveId}/items/${folder.id}:/${encodeURIComponent(name)}:`;
  const stored =
    file.sizeBytes <= AT_ONCE_BYTES_MAX
      ? await graph.put(tenant, `${item}/content`, await bytesOf(file, signal), Item, signal)
      : await uploadLarge(graph, hosts, tenant, item, file, signal);
  const uniqueId = /[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}/i.exec(stored.eTag ?? "")?.[0] ?? stored.id;
  return { name, url: stored.webDavUrl ?? stored.webUrl, uniqueId, fileType: extensionOf(name) };
}

/**
 * A file that somebody shared in a message, by the address that the message has. A client may have written any address there,
 * and the app may read more than its people: so only a file that the sender made or changed, or that is in the channel's drive.
 * @throws GraphRefusedError, TerminalError, RetryableError, the signal's reason
 */
export async function downloadShared(
  { graph, hosts }: { graph: TeamsGraph; hosts: FileHosts },
  { tenant, channel }: GraphThread,
  { contentUrl, senderId }: { contentUrl: string; senderId: string | null },
  bytesMax: number,
  signal: AbortSignal,
): Promise<Blob> {
  const share = `u!${Buffer.from(contentUrl).toString("base64url")}`;
  const item = await graph.get(tenant, `/shares/${share}/driveItem`, Shared, signal);
  if (!isBy(item, senderId)) {
    const folder = channel && (await folderOf(graph, tenant, channel, signal));
    if (folder === null || folder.parentReference.driveId !== item.parentReference?.driveId)
      throw new TerminalError("It is neither the sender's own nor in this channel's files. Attach a copy of it.");
  }
  const address = await graph.contentAddress(tenant, `/shares/${share}/driveItem/content`, signal);
  if (!isFileAddress(address, hosts)) throw new TerminalError("This file is kept outside of OneDrive and SharePoint.");
  return await download(address, {}, bytesMax, signal);
}

/** Pure. */
function isBy({ createdBy, lastModifiedBy }: Shared, personId: string | null): boolean {
  return personId !== null && [createdBy, lastModifiedBy].some((author) => author?.user?.id === personId);
}

async function folderOf(
  graph: TeamsGraph,
  tenant: string,
  { groupId, channelId }: NonNullable<GraphThread["channel"]>,
  signal: AbortSignal,
) {
  const path = `/teams/${encodeURIComponent(groupId)}/channels/${encodeURIComponent(channelId)}/filesFolder`;
  return await graph.get(tenant, path, Folder, signal);
}

/** Pure: `report (3f2a).xlsx`, the same for the same file. Characters that SharePoint refuses are replaced. */
export function uniqueName({ id, filename }: Pick<ChatFile, "id" | "filename">): string {
  const hash = createHash("sha256").update(id).digest("hex").slice(0, HASH_CHARS);
  const plain =
    filename
      .toWellFormed()
      .replaceAll(/["*:<>?/\\|#%\p{Cc}]/gu, "_")
      .replace(/^[~.\s]+/, "")
      .trim() || "file";
  const extension = extensionOf(plain);
  const stem = extension === "" ? plain : plain.slice(0, -extension.length - 1);
  return `${stem.slice(0, 100).replace(/[\uD800-\uDBFF]$/, "")} (${hash})${extension === "" ? "" : `.${extension}`}`;
}

/** Pure: without its dot; empty when there is none. */
export function extensionOf(filename: string): string {
  return /\.([A-Za-z0-9]{1,12})$/.exec(filename)?.[1] ?? "";
}

async function uploadLarge(
  graph: TeamsGraph,
  hosts: FileHosts,
  tenant: string,
  item: string,
  file: ChatFile,
  signal: AbortSignal,
) {
  const body = { item: { "@microsoft.graph.conflictBehavior": "replace" } };
  const { uploadUrl } = await graph.post(tenant, `${item}/createUploadSession`, body, Session, signal);
  if (!isFileAddress(uploadUrl, hosts))
    throw new TerminalError("Graph named a place for uploads that is not Microsoft's.");
  const upload = { url: uploadUrl, sizeBytes: file.sizeBytes, content: () => file.content(signal) };
  return Item.parse(await uploadInParts(upload, signal));
}

async function bytesOf(file: ChatFile, signal: AbortSignal): Promise<Uint8Array<ArrayBuffer>> {
  const pieces: Uint8Array[] = [];
  let bytes = 0;
  for await (const piece of await file.content(signal)) {
    pieces.push(piece);
    bytes += piece.byteLength;
    if (bytes > AT_ONCE_BYTES_MAX) throw new TerminalError("The file is larger than it was said to be.");
  }
  return Buffer.concat(pieces);
}
