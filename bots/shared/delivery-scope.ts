import type { Anthropic } from "@anthropic-ai/sdk";
import type { Logger } from "../../src/log.ts";
import type { ChatStore } from "./chat-store.ts";
import type { ChatSurface } from "./chat-surface.ts";
import type { ChatThreadKey } from "./chat-thread.ts";

/** What one delivery works on: a session, and the thread it is brought into. */
export interface DeliveryScope {
  client: Anthropic;
  surface: ChatSurface;
  store: ChatStore;
  log: Logger;
  thread: ChatThreadKey;
  sessionId: string;
  signal: AbortSignal;
}
