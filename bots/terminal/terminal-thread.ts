import { randomUUID } from "node:crypto";
import path from "node:path";
import type { Anthropic } from "@anthropic-ai/sdk";
import { messageOf } from "../../src/errors.ts";
import type { Logger } from "../../src/log.ts";
import { apiErrorText } from "../shared/api-errors.ts";
import { createOwnApprovalDesk } from "../shared/approval-desk.ts";
import { chatThreadKey, type ChatThreadKey } from "../shared/chat-thread.ts";
import type { ChatAgent } from "../shared/default-agent.ts";
import { deliverThread } from "../shared/deliver.ts";
import { type InboundDeps, takeIn, type TakenIn } from "../shared/inbound.ts";
import { notice } from "../shared/render.ts";
import { createThreadSessions } from "../shared/thread-sessions.ts";
import { openFileChatStore } from "./file-chat-store.ts";
import { localAttachment } from "./local-file.ts";
import { createTerminalSurface, type TerminalView } from "./surface.ts";
import { lockThread } from "./thread-lock.ts";
import { openTranscript, type Transcript } from "./transcript.ts";

export interface TerminalThreadOptions {
  client: Anthropic;
  agent: ChatAgent;
  threadId: string;
  /** Where threads are kept. */
  directory: string;
  view: TerminalView;
  /** Where files are saved. */
  folder: string;
  savePreviews: boolean;
  log: Logger;
  /** Called before anything new is shown. */
  onOpen?: (transcript: Transcript) => void;
  /** Ends everything that is under way. */
  signal: AbortSignal;
}

/** One thread in this terminal: the chat core on a file store, with this process as its only deliverer. */
export interface TerminalThread {
  readonly key: ChatThreadKey;
  readonly transcript: Transcript;
  /** The thread's session, made when it has none. */
  session(title: string): Promise<string>;
  /** Takes in what the person wrote. `attachments` are absolute paths. Rejects when it could not be sent. */
  say(text: string, attachments: string[]): Promise<TakenIn>;
  /** Something is being delivered: a turn runs, or has just ended. */
  busy(): boolean;
  /** Resolves when everything the session has brought forth is in the thread; false when that failed, which the view was told. */
  delivered(): Promise<boolean>;
  /** Gives the thread back. Call it after the signal has aborted or `delivered` has resolved. */
  close(): Promise<void>;
}

/**
 * Opens a thread, which may be an old one: what happened in it meanwhile is delivered, and messages of a process that died
 * before they were sent are sent.
 * @throws TerminalError when the thread is open in another terminal
 */
export async function openTerminalThread(options: TerminalThreadOptions): Promise<TerminalThread> {
  const { client, agent, threadId, directory, view, folder, savePreviews, log, signal } = options;
  const key = chatThreadKey({ surface: "terminal", id: threadId });
  const unlock = await lockThread(path.join(directory, `${threadId}.lock`), threadId);
  const transcript = await openTranscript(path.join(directory, `${threadId}.jsonl`));
  const store = await openFileChatStore(path.join(directory, `${threadId}.json`));
  const surface = createTerminalSurface({ transcript, view, folder, savePreviews });
  const sessions = createThreadSessions({ client, threads: store.threads });

  const delivery = createDelivery(
    () => deliverThread({ client, surface, store, log }, key, signal),
    (error) => {
      if (!signal.aborted) view.message(notice("error", `Delivery failed: ${apiErrorText(error) ?? messageOf(error)}`));
    },
  );
  const ensureDelivery = async () => delivery.ensure();
  const approvals = createOwnApprovalDesk({ client, sessions, store, ensureDelivery });
  const inbound: InboundDeps = { client, surface, store, sessions, agent, approvals, ensureDelivery };
  const take = (messageId: string, text: string, attachments: string[]) =>
    takeIn(inbound, { thread: key, messageId, text, attachments: attachments.map(localAttachment) }, signal);

  const resume = async () => {
    options.onOpen?.(transcript);
    for (const entry of [...transcript.entries]) {
      if (entry.type === "said") await take(entry.id, entry.text, entry.attachments);
    }
    if ((await sessions.current(key)) !== null) delivery.ensure();
  };
  await resume().catch(async (error: unknown) => {
    await unlock();
    throw error;
  });

  return {
    key,
    transcript,
    session: (title) => sessions.ensure(key, { ...agent, title }, signal),
    async say(text, attachments) {
      const id = randomUUID();
      await transcript.append({ type: "said", id, text, attachments });
      return take(id, text, attachments);
    },
    busy: () => delivery.busy(),
    delivered: () => delivery.settled(),
    async close() {
      await delivery.settled();
      await unlock();
    },
  };
}

/** Runs one delivery at a time; an `ensure` that comes while one runs is followed by another. */
function createDelivery(deliver: () => Promise<void>, onError: (error: unknown) => void) {
  let running: Promise<boolean> | null = null;
  let wanted = false;
  const run = async () => {
    try {
      while (wanted) {
        wanted = false;
        await deliver();
      }
      return true;
    } catch (error) {
      onError(error);
      return false;
    } finally {
      running = null;
    }
  };
  return {
    ensure() {
      wanted = true;
      running ??= run();
    },
    busy: () => running !== null,
    settled: async () => (await running) ?? true,
  };
}
