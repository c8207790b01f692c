import { RetryableError, TerminalError } from "../../src/errors.ts";
import type { Logger } from "../../src/log.ts";
import type { ChatThreadKey } from "../shared/chat-thread.ts";
import type { ConversationStore } from "./conversation-store.ts";
import type { TeamsPace } from "./pace.ts";
import { isGone, isUnreachable, TeamsTerminalError } from "./refusals.ts";
import {
  type ConversationRef,
  type OutboundActivity,
  type TeamsConnector,
  TeamsRefusedError,
} from "./teams-connector.ts";
import { teamsThread } from "./teams-thread.ts";

/** How urgent something is to be sent; see `TeamsPace`. */
export type Urgency = "normal" | "spare";

/**
 * The one way out to Teams: in pace, by the conversation's stored reference. RetryableError: later. TeamsTerminalError: Teams
 * said no; TerminalError: nobody can be reached there. With the signal's reason when that aborts.
 */
export interface TeamsPosting {
  /** Resolves with the activity's id. */
  send(thread: ChatThreadKey, activity: OutboundActivity, signal: AbortSignal): Promise<string>;
  /** Like `send`, for what is not worth waiting for: null when the pace has no room right now. */
  sendIfRoom(thread: ChatThreadKey, activity: OutboundActivity, signal: AbortSignal): Promise<string | null>;
  /** False when the message is gone. */
  update(
    thread: ChatThreadKey,
    activityId: string,
    activity: OutboundActivity,
    urgency: Urgency,
    signal: AbortSignal,
  ): Promise<boolean>;
  /** Resolves as well when it is gone. */
  remove(thread: ChatThreadKey, activityId: string, signal: AbortSignal): Promise<void>;
  /** Where the thread is. @throws TerminalError */
  reference(thread: ChatThreadKey): Promise<ConversationRef>;
}

export interface TeamsPostingDeps {
  connector: TeamsConnector;
  conversations: Pick<ConversationStore, "find" | "disable">;
  pace: TeamsPace;
  log: Logger;
}

export function createTeamsPosting({ connector, conversations, pace, log }: TeamsPostingDeps): TeamsPosting {
  const reference = async (thread: ChatThreadKey): Promise<ConversationRef> => {
    const known = await conversations.find(teamsThread(thread).place);
    if (!known)
      throw new TerminalError("Nobody has written to Deckhand in this conversation, so it can't write there.");
    if (known.disabled !== null) throw new TerminalError(known.disabled);
    return known.ref;
  };

  const sorted = async (thread: ChatThreadKey, error: unknown): Promise<unknown> => {
    const { place } = teamsThread(thread);
    if (error instanceof RetryableError && error.retryAfterMs !== null) await pace.holdOff(place, error.retryAfterMs);
    if (!(error instanceof TeamsRefusedError)) return error;
    const told = new TeamsTerminalError(error);
    const { refusal } = error;
    log.info({ chat_thread_key: thread, teams_error: refusal }, "teams refused a call");
    if (isUnreachable(refusal)) {
      await conversations.disable(place, told.message);
      log.warn({ chat_thread_key: thread, teams_error: refusal }, "nothing more is posted to a conversation");
    }
    return told;
  };

  const call = async <Answer>(
    thread: ChatThreadKey,
    signal: AbortSignal,
    make: (ref: ConversationRef, rootId: string | null) => Promise<Answer>,
  ): Promise<Answer> => {
    const ref = await reference(thread);
    signal.throwIfAborted();
    try {
      return await make(ref, teamsThread(thread).rootId);
    } catch (error) {
      signal.throwIfAborted();
      throw await sorted(thread, error);
    }
  };

  const send: TeamsPosting["send"] = (thread, activity, signal) =>
    call(thread, signal, (ref, rootId) => connector.send(ref, rootId, activity, signal));

  /** False when what was to be changed is gone. */
  const unlessGone = async (change: Promise<void>): Promise<boolean> => {
    try {
      await change;
      return true;
    } catch (error) {
      if (error instanceof TeamsTerminalError && isGone(error.refusal)) return false;
      throw error;
    }
  };

  return {
    reference,

    async send(thread, activity, signal) {
      await pace.turn(teamsThread(thread).place, "normal", signal);
      return await send(thread, activity, signal);
    },

    async sendIfRoom(thread, activity, signal) {
      signal.throwIfAborted();
      return (await pace.roomNow(teamsThread(thread).place)) ? await send(thread, activity, signal) : null;
    },

    async update(thread, activityId, activity, urgency, signal) {
      await pace.turn(teamsThread(thread).place, urgency, signal);
      return await unlessGone(
        call(thread, signal, (ref, rootId) => connector.update(ref, rootId, activityId, activity, signal)),
      );
    },

    async remove(thread, activityId, signal) {
      await pace.turn(teamsThread(thread).place, "normal", signal);
      await unlessGone(call(thread, signal, (ref, rootId) => connector.remove(ref, rootId, activityId, signal)));
    },
  };
}
