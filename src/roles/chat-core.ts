import { Anthropic } from "@anthropic-ai/sdk";
import { accept, type Arrival } from "../../bots/shared/accept.ts";
import { createApprovalDesk } from "../../bots/shared/approval-desk.ts";
import { createDatabaseChatRecords } from "../../bots/shared/chat-records-store.ts";
import type { ChatRecords } from "../../bots/shared/chat-records.ts";
import type { ChatStore } from "../../bots/shared/chat-store.ts";
import type { ChatThreadKey } from "../../bots/shared/chat-thread.ts";
import { createDatabaseChatStore } from "../../bots/shared/database-chat-store.ts";
import { createDefaultAgent, type DefaultAgent } from "../../bots/shared/default-agent.ts";
import { createPaceStore } from "../../bots/shared/pace-store.ts";
import type { PaceStore } from "../../bots/shared/pace-limit.ts";
import { type CommandDeps, runCommand } from "../../bots/shared/run-command.ts";
import { takeInDecision } from "../../bots/shared/take-in-decision.ts";
import { createThreadSessions, type ThreadSessions } from "../../bots/shared/thread-sessions.ts";
import { startDeliverer } from "../../workers/deliver-thread.ts";
import { startApprovalExpiry } from "../../workers/expire-approvals.ts";
import { type Chat, createTakeInHint, startTakeIn } from "../../workers/take-in.ts";
import { messageOf } from "../errors.ts";
import type { Logger } from "../log.ts";
import { Teardown } from "../teardown.ts";
import type { Platform } from "./platform.ts";

export interface ChatCoreOptions {
  apiUrl: string;
  apiKey: string;
}

/** The chat core on this installation's database and queue, for whatever surfaces there are. */
export interface ChatCoreParts {
  client: Anthropic;
  store: ChatStore;
  records: ChatRecords;
  sessions: ThreadSessions;
  defaultAgent: DefaultAgent;
  /** The default agent's id once it is known, as options take it. */
  knownDefault(): { defaultAgentId?: string };
  paces: Pick<PaceStore, "forget">;
  /** See `accept`. */
  accept(arrival: Arrival): Promise<boolean>;
  /** A hint; never rejects. */
  ensureDelivery(thread: ChatThreadKey): Promise<void>;
  log: Logger;
}

export function createChatCore({ config, database, queue, log }: Platform, options: ChatCoreOptions): ChatCoreParts {
  const client = new Anthropic({ baseURL: options.apiUrl, apiKey: options.apiKey });
  const store = createDatabaseChatStore(database);
  const records = createDatabaseChatRecords(database);
  const hint = createTakeInHint(queue, log);
  const lookup = createDefaultAgent({ client, model: config.defaultModel, agentId: null });
  let known: string | null = null;
  return {
    client,
    store,
    records,
    sessions: createThreadSessions({ client, threads: store.threads }),
    defaultAgent: {
      async get() {
        const found = await lookup.get();
        known = found.agentId;
        return found;
      },
      forget: () => lookup.forget(),
    },
    paces: createPaceStore(database),
    knownDefault: () => (known === null ? {} : { defaultAgentId: known }),
    accept: (arrival) => accept({ inbox: records.inbox, hint }, arrival),
    async ensureDelivery(thread) {
      try {
        await queue.enqueue("deliver-thread", { chat_thread_key: thread });
      } catch (error) {
        // The deliverer's sweep finds what this would have told.
        log.warn({ chat_thread_key: thread, error: messageOf(error) }, "delivery was not enqueued");
      }
    },
    log,
  };
}

/** Takes in what was kept, delivers what sessions say, and ends approvals that nobody gave, in these chats. */
export async function startChatWorkers(
  core: ChatCoreParts,
  queue: Platform["queue"],
  chats: readonly Chat[],
): Promise<{ stop(): Promise<void> }> {
  const started = new Teardown();
  const surfaces = chats.map(({ surface }) => surface);
  try {
    const deliverer = await startDeliverer({ ...core, surfaces, queue });
    started.add(() => deliverer.stop());
    const expiry = startApprovalExpiry({ ...core, surfaces });
    started.add(() => expiry.stop());
    const takeIn = await startTakeIn({
      ...core,
      chats,
      queue,
      runCommand: (chat, call, signal) => runCommand(commandDeps(core, chat), call, signal),
      decide: (chat, call, signal) => takeInDecision({ ...core, ...chat }, call, signal),
    });
    started.add(() => takeIn.stop());
    return { stop: () => started.run() };
  } catch (error) {
    await started.run();
    throw error;
  }
}

function commandDeps(core: ChatCoreParts, chat: Chat): CommandDeps {
  return {
    ...core,
    ...core.knownDefault(),
    surface: chat.surface,
    approvals: createApprovalDesk({ ...core, ...chat }),
  };
}
