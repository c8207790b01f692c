import type { Anthropic } from "@anthropic-ai/sdk";
import type { Logger } from "../../src/log.ts";
import type { ChatRecords } from "./chat-records.ts";
import type { ChatSource } from "./chat-source.ts";
import type { ChatStore } from "./chat-store.ts";
import type { ChatSurface } from "./chat-surface.ts";
import type { ChatThreadKey } from "./chat-thread.ts";
import type { DefaultAgent } from "./default-agent.ts";
import type { Person } from "./person.ts";
import type { CommandCall } from "./run-command.ts";
import type { ThreadSessions } from "./thread-sessions.ts";

/** A person's word on a tool call. */
export interface DecisionCall {
  thread: ChatThreadKey;
  /** The same when it is called again for the same press. */
  messageId: string;
  toolUseId: string;
  decision: "allow" | "deny";
  reason: string | null;
  person: Person;
}

/** What taking in works with, for one surface. */
export interface TakeInScope {
  client: Anthropic;
  surface: ChatSurface;
  source: ChatSource;
  store: ChatStore;
  records: Pick<ChatRecords, "inbox" | "policies" | "directory" | "spend" | "audit" | "approvals">;
  sessions: ThreadSessions;
  defaultAgent: DefaultAgent;
  /** Makes sure that someone delivers this thread. A hint: what there is to deliver is in the store already. */
  ensureDelivery(thread: ChatThreadKey): Promise<void>;
  /**
   * Does and answers a command, once however often it is called for the same message. Resolves with what is to be said to
   * the session in its place, or null. Rejects as API and surface do; it is then called again.
   */
  runCommand(call: CommandCall, signal: AbortSignal): Promise<string | null>;
  /** Decides, if this person may, and tells them what came of it. May be called again; rejects as `runCommand` does. */
  decide(call: DecisionCall, signal: AbortSignal): Promise<void>;
  log: Logger;
}
