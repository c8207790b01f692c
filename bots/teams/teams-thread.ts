import { placeOf, type ChatPlaceKey } from "../shared/chat-place.ts";
import { chatThreadKey, ChatThreadKeyError, parseChatThreadKey, type ChatThreadKey } from "../shared/chat-thread.ts";

/** A thread of Teams in its parts. */
export interface TeamsThread {
  tenant: string;
  /** As the Bot Connector has it, without its `;messageid=` part. */
  conversationId: string;
  /** The message that a channel's thread hangs from; null in personal and group chats. */
  rootId: string | null;
  /** What the conversation's reference is kept under. */
  place: ChatPlaceKey;
}

const ROOT = ";messageid=";

/** @throws ChatThreadKeyError when the thread is not in Teams */
export function teamsThread(key: ChatThreadKey): TeamsThread {
  const thread = parseChatThreadKey(key);
  const place = placeOf(key);
  if (thread.surface !== "teams" || place === null) {
    throw new ChatThreadKeyError(`${JSON.stringify(key)} is no thread of Teams.`);
  }
  const { conversationId, rootId } = splitConversation(thread.conversation);
  return { tenant: thread.tenant, conversationId, rootId, place };
}

/** Pure: the key of a thread; the same for its first message and every reply. @throws ChatThreadKeyError */
export function teamsThreadKey(tenant: string, conversationId: string, rootId: string | null): ChatThreadKey {
  return chatThreadKey({ surface: "teams", tenant, conversation: withRoot(conversationId, rootId) });
}

/** Pure: how the Bot Connector names a thread of a channel; the conversation itself where there is no root. */
export function withRoot(conversationId: string, rootId: string | null): string {
  return rootId === null ? conversationId : `${conversationId}${ROOT}${rootId}`;
}

/** Pure: undoes `withRoot`. */
export function splitConversation(id: string): { conversationId: string; rootId: string | null } {
  const at = id.indexOf(ROOT);
  if (at < 0) return { conversationId: id, rootId: null };
  return { conversationId: id.slice(0, at), rootId: id.slice(at + ROOT.length) };
}
