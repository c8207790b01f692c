import type { Anthropic } from "@anthropic-ai/sdk";
import type { Logger } from "../../src/log.ts";
import type { ChatRecords } from "./chat-records.ts";
import type { ChatStore } from "./chat-store.ts";
import type { ChatSurface } from "./chat-surface.ts";
import type { ChatThreadKey } from "./chat-thread.ts";

/** What delivery asks and tells about threads that more than one person may see. */
export type DeliveryRecords = Pick<ChatRecords, "policies" | "approvals" | "directory" | "spend">;

/** What one delivery works on: a session, and the thread it is brought into. */
export interface DeliveryScope {
  client: Anthropic;
  surface: ChatSurface;
  store: ChatStore;
  /** Null where the thread belongs to one person, who sets no policy for themself: a terminal. */
  records: DeliveryRecords | null;
  log: Logger;
  thread: ChatThreadKey;
  sessionId: string;
  signal: AbortSignal;
}
