import type { Logger } from "../../../src/log.ts";
import type { ChatThreadKey } from "../../shared/chat-thread.ts";
import type { HomeData } from "../../shared/home.ts";
import type { InboundItem } from "../../shared/inbound-item.ts";
import type { PickedCall } from "../../shared/picked.ts";
import type { SlashCall, SlashReply } from "../../shared/slash.ts";
import type { Afterwards } from "../../shared/afterwards.ts";
import type { AgentOption } from "../hand-over-modal.ts";
import type { SlackApi } from "../web-api.ts";

/** What a person did, ready to be kept. */
export interface InboundDelivery {
  thread: ChatThreadKey;
  messageId: string;
  receiptId: string | null;
  item: InboundItem;
}

/** What the listeners ask of the chat core. None of these calls the platform, unless it says so. */
export interface ChatCore {
  /** Durable when it resolves. Does nothing with what was kept before. */
  accept(delivery: InboundDelivery): Promise<unknown>;
  /** Whether the agent may be in this thread: something that people did there was kept. */
  knows(thread: ChatThreadKey): Promise<boolean>;
  /** Null when this person may decide on this tool call; otherwise who may: ids of people and groups, perhaps none. */
  othersWhoDecide(toolUseId: string, personId: string, signal: AbortSignal): Promise<readonly string[] | null>;
  /** Durable when it resolves. Also tells the platform, and does not mind when that is away. */
  rate(rating: { thread: ChatThreadKey; answerId: string; personId: string; value: "up" | "down" }): Promise<void>;
  /** Names of people, by their ids; one that can't be told soon is left out. Never rejects. */
  names(thread: ChatThreadKey, ids: readonly string[]): Promise<ReadonlyMap<string, string>>;
  /** Asks the platform where the command does; says so to the person when that is away. */
  runSlash(call: SlashCall, signal: AbortSignal): Promise<SlashReply>;
  runPicked(call: PickedCall, signal: AbortSignal): Promise<SlashReply>;
  /** What a person's home shows. Asks the platform. */
  home(team: string, personId: string, signal: AbortSignal): Promise<HomeData>;
  /** The agents that work in this thread can be handed to. Asks the platform. */
  agents(thread: ChatThreadKey, signal: AbortSignal): Promise<AgentOption[]>;
}

export interface ListenerDeps {
  api: SlackApi;
  core: ChatCore;
  afterwards: Afterwards;
  log: Logger;
}

/** For what has to happen before Slack's 3 s are over. */
export const BEFORE_ACK_MS = 2_000;
