import type { Anthropic } from "@anthropic-ai/sdk";
import { TerminalError } from "../../src/errors.ts";
import { mountAttachments, type Attachment } from "./attachments.ts";
import type { ApprovalDesk } from "./approval-desk.ts";
import { readCommand } from "./commands.ts";
import type { ChatStore } from "./chat-store.ts";
import type { ChatSurface } from "./chat-surface.ts";
import type { ChatThreadKey } from "./chat-thread.ts";
import type { ChatAgent } from "./default-agent.ts";
import { runCommand } from "./run-command.ts";
import { findSent, sendMessage } from "./send-message.ts";
import type { ThreadSessions } from "./thread-sessions.ts";
import { userMessageText } from "./user-message.ts";

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
  agent: ChatAgent;
  /** Where "approve" is heard. */
  approvals: ApprovalDesk;
  /** Makes sure that someone delivers this thread. A hint: what there is to deliver is in the store already. */
  ensureDelivery(thread: ChatThreadKey): Promise<void>;
}

/** An attempt older than this has died. Longer than any upload is allowed to take. */
const STALE_MS = 900_000;

/**
 * Takes a message in exactly once: a redelivered one does nothing, unless the attempt before failed or died, which it then
 * brings to its end without sending anything twice.
 * @throws API errors, after which the same message may be given again; TerminalError for an attachment that can't be had;
 * the signal's reason
 */
export async function takeIn(deps: InboundDeps, message: InboundMessage, signal: AbortSignal): Promise<TakenIn> {
  const { store } = deps;
  const { thread, messageId } = message;
  const claim = await store.inbound.claim(thread, messageId, STALE_MS);
  if (claim === "duplicate") return { type: "duplicate" };
  try {
    const isApprovalOpen = async () => (await deps.approvals.open(thread, signal)).length > 0;
    const command = message.attachments.length === 0 ? await readCommand(message.text, isApprovalOpen) : null;
    if (!command) return await send(deps, message, claim === "unfinished", signal);
    const commandDeps = { ...deps, defaultAgentId: deps.agent.agentId };
    const words = await runCommand(commandDeps, { thread, messageId, command, personId: null }, signal);
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
  const { client, surface, store, sessions, agent } = deps;
  const { thread, messageId, text } = message;
  const sessionId = await sessions.ensure(thread, { ...agent, title: text }, signal);
  const { busy } = await store.threads.open(thread);
  let sentAt = Date.now();
  let eventId = unfinished ? await findSent(deps, { thread, sessionId, words: text }, signal) : null;
  if (eventId === null) {
    const { paths, missing } = await mountAttachments(client, sessionId, message.attachments, signal);
    const [lost] = missing;
    if (lost) throw new TerminalError(`${lost.filename} can't be attached: ${lost.reason}`);
    sentAt = Date.now();
    const present = paths.filter((path) => path !== null);
    eventId = await sendMessage(client, sessionId, userMessageText(text, present), signal);
  }
  await store.deliveries.wake(thread);
  await store.inbound.settle(thread, messageId, eventId);
  await deps.ensureDelivery(thread);
  await surface.acknowledge(thread, messageId, busy ? "queued" : "started", signal);
  return { type: "sent", sessionId, eventId, sentAt };
}
