import { TerminalError } from "../../src/errors.ts";
import type { TeamsFile } from "./attachment-ref.ts";
import { type FileHosts, isFileAddress } from "./file-hosts.ts";
import { AddressOverError, download } from "./file-transfer.ts";
import type { TeamsGraph } from "./graph.ts";
import { downloadShared } from "./graph-files.ts";
import { FILE_REFERENCE, messageById } from "./graph-messages.ts";
import type { GraphThreads } from "./graph-threads.ts";
import type { ConversationRef, TeamsConnector } from "./teams-connector.ts";
import type { TeamsThread } from "./teams-thread.ts";

export interface OpenFileDeps {
  connector: Pick<TeamsConnector, "token">;
  graph: TeamsGraph | null;
  graphThreads: GraphThreads;
  hosts: FileHosts;
  fileBytesMax: number;
}

/**
 * What somebody attached. A `File` where only now its name is known.
 * @throws TerminalError in words that complete "… can't be read: ", RetryableError, the signal's reason
 */
export async function openFile(
  deps: OpenFileDeps,
  thread: TeamsThread,
  ref: ConversationRef,
  file: TeamsFile,
  signal: AbortSignal,
): Promise<Blob> {
  switch (file.type) {
    case "download":
      return await openDownload(deps, file.url, signal);
    case "inline":
      return await openInline(deps, ref, file.url, signal);
    case "graph":
      return await openPosted(deps, thread, ref, file, signal);
  }
}

/** The address opens the file by itself: a token would only tell it to somebody. */
async function openDownload({ hosts, fileBytesMax }: OpenFileDeps, url: string, signal: AbortSignal): Promise<Blob> {
  if (!isFileAddress(url, hosts)) throw new TerminalError("This file is kept outside of OneDrive and SharePoint.");
  try {
    return await download(url, {}, fileBytesMax, signal);
  } catch (error) {
    if (error instanceof AddressOverError) throw new TerminalError(EXPIRED, { cause: error });
    throw error;
  }
}

/** A picture at the Bot Connector. Our token goes to where we post, and nowhere else. */
async function openInline(
  { connector, fileBytesMax }: OpenFileDeps,
  ref: ConversationRef,
  url: string,
  signal: AbortSignal,
) {
  const ours = URL.parse(url)?.origin === new URL(ref.serviceUrl).origin;
  if (!ours) throw new TerminalError("This picture is kept outside of Teams.");
  const token = await connector.token("connector", ref.tenantId, signal);
  return await download(url, { authorization: `Bearer ${token}` }, fileBytesMax, signal);
}

async function openPosted(
  { graph, graphThreads, hosts, fileBytesMax }: OpenFileDeps,
  thread: TeamsThread,
  ref: ConversationRef,
  { messageId, attachmentId }: Extract<TeamsFile, { type: "graph" }>,
  signal: AbortSignal,
): Promise<Blob> {
  if (!graph) throw new TerminalError(NOT_ENABLED);
  const at = await graphThreads.of(thread, ref, signal);
  if (!at) throw new TerminalError("Teams did not say which team this channel belongs to.");
  const message = await messageById(graph, at, messageId, signal);
  const attachment = (message.attachments ?? []).find(({ id }) => id === attachmentId);
  if (attachment?.contentType !== FILE_REFERENCE || !attachment.contentUrl) {
    throw new TerminalError("It is no file that Deckhand can read.");
  }
  const shared = { contentUrl: attachment.contentUrl, senderId: message.from?.user?.id ?? null };
  const blob = await downloadShared({ graph, hosts }, at, shared, fileBytesMax, signal);
  return new File([blob], attachment.name || attachmentId);
}

const EXPIRED = "Its address was valid for a few minutes only. Attach it again.";
const NOT_ENABLED =
  "Deckhand can't read files in channels and group chats here. Send it in a personal chat, or let whoever runs Deckhand " +
  "enable it: see TEAMS_GRAPH in docs/teams.md.";
