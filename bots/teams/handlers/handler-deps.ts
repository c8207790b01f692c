import type { Logger } from "../../../src/log.ts";
import type { Arrival } from "../../shared/accept.ts";
import type { Afterwards } from "../../shared/afterwards.ts";
import type { ChatThreadKey } from "../../shared/chat-thread.ts";
import type { PickedCall } from "../../shared/picked.ts";
import type { SlashCall, SlashReply } from "../../shared/slash.ts";
import type { UploadInfo } from "../activity.ts";
import type { AttachmentCipher } from "../attachment-ref.ts";
import type { ConversationStore } from "../conversation-store.ts";
import type { TeamsConnector } from "../teams-connector.ts";

/** What a person said to the card that offers a file. */
export interface ConsentAnswer {
  thread: ChatThreadKey;
  consentId: string;
  answer: "accepted" | "declined";
  /** Where Teams wants the file; null when it was declined. Its address opens that place for anybody who has it. */
  upload: UploadInfo | null;
}

/** What the handlers ask of the chat core. None of these calls the platform, unless it says so. */
export interface TeamsCore {
  /** Durable when it resolves. Does nothing with what was kept before. */
  accept(arrival: Arrival): Promise<unknown>;
  /** Tells a press that is delivered again from another press of the same button: only the first have the same id. */
  pressId(messageId: string): Promise<string>;
  /** Whether the agent may be in this thread: something that people did there was kept. */
  knows(thread: ChatThreadKey): Promise<boolean>;
  /** Null when this person may decide on this tool call; otherwise who may: ids of people, perhaps none. */
  othersWhoDecide(toolUseId: string, personId: string, signal: AbortSignal): Promise<readonly string[] | null>;
  /** Which answer a post of ours is; null when it is none. */
  answerPostedAs(thread: ChatThreadKey, activityId: string): Promise<string | null>;
  /** Durable when it resolves. Also tells the platform. */
  rate(
    rating: { thread: ChatThreadKey; answerId: string; personId: string; value: "up" | "down" },
    signal: AbortSignal,
  ): Promise<void>;
  /** Durable when it resolves; the first answer counts. */
  keepConsent(answer: ConsentAnswer): Promise<void>;
  /** Names of people, by their ids; one that can't be told soon is left out. Never rejects. */
  names(thread: ChatThreadKey, ids: readonly string[]): Promise<ReadonlyMap<string, string>>;
  /** Asks the platform where the command does; says so to the person when that is away. */
  runSlash(call: SlashCall, signal: AbortSignal): Promise<SlashReply>;
  runPicked(call: PickedCall, signal: AbortSignal): Promise<SlashReply>;
}

export interface HandlerDeps {
  core: TeamsCore;
  connector: Pick<TeamsConnector, "send" | "sendTargeted">;
  conversations: ConversationStore;
  cipher: AttachmentCipher;
  afterwards: Afterwards;
  log: Logger;
}

/** For what has to happen before Teams has its answer, which it waits 15 s for. */
export const BEFORE_ANSWER_MS = 8_000;
