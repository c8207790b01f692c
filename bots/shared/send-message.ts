import type { Anthropic } from "@anthropic-ai/sdk";
import type { ChatStore } from "./chat-store.ts";
import type { ChatThreadKey } from "./chat-thread.ts";
import { isMessageWith } from "./user-message.ts";

const SEND_TIMEOUT_MS = 30_000;
const LOOK_BACK_TIMEOUT_MS = 15_000;
const RECENT_EVENTS = 100;

/**
 * Sends one `user.message` and returns the id of its event. An attempt that failed may have sent it: `findSent` tells.
 * @throws API errors; the signal's reason
 */
export async function sendMessage(
  client: Anthropic,
  sessionId: string,
  text: string,
  signal: AbortSignal,
): Promise<string> {
  const sent = await client.beta.sessions.events.send(
    sessionId,
    { events: [{ type: "user.message", content: [{ type: "text", text }] }] },
    // Not repeated by the SDK: an attempt whose answer was lost may have sent it.
    { signal, timeout: SEND_TIMEOUT_MS, maxRetries: 0 },
  );
  const eventId = sent.data?.[0]?.id;
  if (eventId === undefined) throw new Error("The server took the message without naming the event it became.");
  return eventId;
}

/**
 * The event that an attempt which died has sent: one with these words that no message of this thread is known to have
 * become. Null when there is none.
 */
export async function findSent(
  { client, store }: { client: Anthropic; store: Pick<ChatStore, "inbound"> },
  { thread, sessionId, words }: { thread: ChatThreadKey; sessionId: string; words: string },
  signal: AbortSignal,
): Promise<string | null> {
  const page = await client.beta.sessions.events.list(
    sessionId,
    { order: "desc", limit: RECENT_EVENTS, types: ["user.message"] },
    { signal, timeout: LOOK_BACK_TIMEOUT_MS },
  );
  const same = page.data.flatMap((event) => {
    const block = event.type === "user.message" ? event.content[0] : undefined;
    return block?.type === "text" && isMessageWith(words, block.text) ? event.id : [];
  });
  const known = await store.inbound.knownEvents(thread, same);
  return same.find((id) => !known.has(id)) ?? null;
}
