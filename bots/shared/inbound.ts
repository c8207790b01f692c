import type { Anthropic } from "@anthropic-ai/sdk";
import { mountAttachments, type Attachment } from "./attachments.ts";
import { parseCommand } from "./commands.ts";
import type { ChatStore } from "./chat-store.ts";
import type { ChatSurface } from "./chat-surface.ts";
import type { ChatThreadKey } from "./chat-thread.ts";
import { runCommand } from "./run-command.ts";
import type { ThreadSessions } from "./thread-sessions.ts";
import { isMessageWith, userMessageText } from "./user-message.ts";

/** What a person wrote in a thread. The surface has verified that it is theirs. */
export interface InboundMessage {
  thread: ChatThreadKey;
  /** Unique within the thread, and the same when the message is delivered again. */
  messageId: string;
  text: string;
  attachments: Attachment[];
}

export type TakenIn =
  | {
      type: "sent";
      sessionId: string;
      eventId: string;
      /** When the request was made, in ms since the epoch. */ sentAt: number;
    }
  | { type: "command" }
  /** Taken in before, or right now by somebody else. */
  | { type: "duplicate" };

export interface InboundDeps {
  client: Anthropic;
  surface: ChatSurface;
  store: ChatStore;
  sessions: ThreadSessions;
  /** Makes sure that someone delivers this thread. A hint: what there is to deliver is in the store already. */
  ensureDelivery(thread: ChatThreadKey): Promise<void>;
}

/** An attempt older than this has died. Longer than any upload is allowed to take. */
const STALE_MS = 900_000;
const SEND_TIMEOUT_MS = 30_000;
const RECENT_EVENTS = 100;

/**
 * Takes a message in exactly once: a redelivered one does nothing, unless the attempt before failed or died, which it then
 * brings to its end without sending anything twice.
 * @throws API errors, after which the same message may be given again; the signal's reason
 */
export async function takeIn(deps: InboundDeps, message: InboundMessage, signal: AbortSignal): Promise<TakenIn> {
  const { store } = deps;
  const { thread, messageId } = message;
  const claim = await store.inbound.claim(thread, messageId, STALE_MS);
  if (claim === "duplicate") return { type: "duplicate" };
  try {
    const command = message.attachments.length === 0 ? parseCommand(message.text) : null;
    if (!command) return await send(deps, message, claim === "unfinished", signal);
    const words = await runCommand(deps, { thread, messageId, command, personId: null }, signal);
    if (words !== null) return await send(deps, { ...message, text: words }, claim === "unfinished", signal);
    await store.inbound.settle(thread, messageId, null);
    return { type: "command" };
  } catch (error) {
    await store.inbound.abandon(thread, messageId);
    throw error;
  }
}

async function send(
  deps: InboundDeps,
  message: InboundMessage,
  unfinished: boolean,
  signal: AbortSignal,
): Promise<TakenIn> {
  const { client, surface, store, sessions } = deps;
  const { thread, messageId, text } = message;
  const sessionId = await sessions.ensure(thread, text, signal);
  const { busy } = await store.threads.open(thread);
  let sentAt = Date.now();
  let eventId = unfinished ? await findSent(deps, sessionId, message, signal) : null;
  if (eventId === null) {
    const paths = await mountAttachments(client, sessionId, message.attachments, signal);
    sentAt = Date.now();
    const sent = await client.beta.sessions.events.send(
      sessionId,
      { events: [{ type: "user.message", content: [{ type: "text", text: userMessageText(text, paths) }] }] },
      // Not repeated by the SDK: an attempt whose answer was lost may have sent it.
      { signal, timeout: SEND_TIMEOUT_MS, maxRetries: 0 },
    );
    eventId = sent.data?.[0]?.id ?? null;
    if (eventId === null) throw new Error("The server took the message without naming the event it became.");
  }
  await store.deliveries.wake(thread);
  await store.inbound.settle(thread, messageId, eventId);
  await deps.ensureDelivery(thread);
  await surface.acknowledge(thread, messageId, busy ? "queued" : "started", signal);
  return { type: "sent", sessionId, eventId, sentAt };
}

/**
 * The event that an attempt which died has sent: one with these words that no message of this thread is known to have
 * become.
 */
async function findSent(
  { client, store }: InboundDeps,
  sessionId: string,
  { thread, text }: InboundMessage,
  signal: AbortSignal,
): Promise<string | null> {
  const page = await client.beta.sessions.events.list(
    sessionId,
    { order: "desc", limit: RECENT_EVENTS, types: ["user.message"] },
    { signal },
  );
  const same = page.data.flatMap((event) => {
    const block = event.type === "user.message" ? event.content[0] : undefined;
    return block?.type === "text" && isMessageWith(text, block.text) ? event.id : [];
  });
  const known = await store.inbound.knownEvents(thread, same);
  return same.find((id) => !known.has(id)) ?? null;
}
