import { z } from "zod";
import type { EarlierMessage } from "../shared/chat-source.ts";
import type { TeamsGraph } from "./graph.ts";
import { messageText } from "./message-text.ts";
import type { ConversationRef } from "./teams-connector.ts";

const Identity = z.looseObject({ id: z.string().nullish(), displayName: z.string().nullish() });
const Attachment = z.looseObject({
  id: z.string().nullish(),
  contentType: z.string().nullish(),
  contentUrl: z.string().nullish(),
  name: z.string().nullish(),
});
const GraphMessage = z.looseObject({
  id: z.string(),
  messageType: z.string().nullish(),
  createdDateTime: z.string(),
  deletedDateTime: z.string().nullish(),
  from: z.looseObject({ user: Identity.nullish(), application: Identity.nullish() }).nullish(),
  body: z.looseObject({ contentType: z.string().nullish(), content: z.string().nullish() }),
  attachments: z.array(Attachment).nullish(),
});
export type GraphMessage = z.infer<typeof GraphMessage>;
const Page = z.looseObject({ value: z.array(GraphMessage), "@odata.nextLink": z.string().nullish() });

/** A thread as Graph names it. */
export interface GraphThread {
  tenant: string;
  /** Null in personal and group chats. */
  channel: { groupId: string; channelId: string; rootId: string } | null;
  chatId: string;
}

/** What is in the list of a message's attachments as a file. */
export const FILE_REFERENCE = "reference";
const PAGE_MESSAGES = 50;
const PAGES_MAX = 20;

/** Pure: null where Teams did not tell the team's group. */
export function graphThread(ref: ConversationRef, rootId: string | null): GraphThread | null {
  const chat = { tenant: ref.tenantId, channel: null, chatId: ref.conversationId };
  if (ref.kind !== "channel") return chat;
  const { team } = ref;
  if (!team?.aadGroupId || rootId === null) return null;
  return { ...chat, channel: { groupId: team.aadGroupId, channelId: team.channelId, rootId } };
}

/** The latest messages of a thread before one of them, oldest first. */
export async function messagesBefore(
  graph: TeamsGraph,
  thread: GraphThread,
  before: string,
  limit: number,
  signal: AbortSignal,
): Promise<GraphMessage[]> {
  const found: GraphMessage[] = [];
  let path: string | null = `${listPath(thread)}?$top=${PAGE_MESSAGES}`;
  for (let pages = 0; path !== null && found.length < limit && pages < PAGES_MAX; pages++) {
    const page: z.infer<typeof Page> = await graph.get(thread.tenant, path, Page, signal);
    found.push(...page.value.filter((message) => isBefore(message, before)));
    path = page["@odata.nextLink"] ?? null;
  }
  if (thread.channel && found.length < limit) {
    const root = await graph.get(thread.tenant, messagePath(thread, thread.channel.rootId), GraphMessage, signal);
    if (isBefore(root, before)) found.push(root);
  }
  const latest = found.toSorted((a, b) => sentAt(b) - sentAt(a)).slice(0, limit);
  return latest.filter((message) => isSaid(message)).toReversed();
}

export async function messageById(
  graph: TeamsGraph,
  thread: GraphThread,
  messageId: string,
  signal: AbortSignal,
): Promise<GraphMessage> {
  return await graph.get(thread.tenant, messagePath(thread, messageId), GraphMessage, signal);
}

/** Pure: all but its files. `appId` tells our own messages. */
export function earlierMessage(message: GraphMessage, appId: string): Omit<EarlierMessage, "attachments"> {
  const { from, body } = message;
  const recipient = { id: appId };
  const textFormat = body.contentType === "html" ? "xml" : "plain";
  return {
    messageId: message.id,
    author: from?.user?.displayName ?? from?.application?.displayName ?? "somebody",
    byAgent: from?.application?.id === appId,
    sentAt: sentAt(message),
    text: messageText({ text: body.content ?? "", textFormat, entities: [], recipient }),
  };
}

function listPath({ channel, chatId }: GraphThread): string {
  if (!channel) return `/chats/${encodeURIComponent(chatId)}/messages`;
  return `${channelPath(channel)}/${encodeURIComponent(channel.rootId)}/replies`;
}

function messagePath({ channel, chatId }: GraphThread, messageId: string): string {
  const id = encodeURIComponent(messageId);
  if (!channel) return `/chats/${encodeURIComponent(chatId)}/messages/${id}`;
  if (messageId === channel.rootId) return `${channelPath(channel)}/${id}`;
  return `${channelPath(channel)}/${encodeURIComponent(channel.rootId)}/replies/${id}`;
}

function channelPath({ groupId, channelId }: NonNullable<GraphThread["channel"]>): string {
  return `/teams/${encodeURIComponent(groupId)}/channels/${encodeURIComponent(channelId)}/messages`;
}

/** Ids of messages are when they were sent, in ms. All are before what is no message. */
function isBefore({ id }: GraphMessage, before: string): boolean {
  return /^\d+$/.test(before) ? Number(id) < Number(before) : id !== before;
}

function sentAt({ createdDateTime }: GraphMessage): number {
  const at = Date.parse(createdDateTime);
  return Number.isFinite(at) ? at : 0;
}

/** By somebody, and still there: others tell that a member joined, or a call began. */
function isSaid({ messageType, deletedDateTime, from }: GraphMessage): boolean {
  return (messageType ?? "message") === "message" && !deletedDateTime && Boolean(from?.user ?? from?.application);
}
