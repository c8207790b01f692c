import type { App } from "@slack/bolt";
import { z } from "zod";
import { messageOf, TerminalError } from "../../../src/errors.ts";
import { chatThreadKey, type ChatThreadKey, parseChatThreadKey } from "../../shared/chat-thread.ts";
import { refusedWith } from "../errors.ts";
import {
  type AgentOption,
  HAND_OVER_MODAL,
  HAND_OVER_SHORTCUT,
  type HandOverCarried,
  handOverModal,
  handOverRefused,
  parseHandOver,
} from "../hand-over-modal.ts";
import { BEFORE_ACK_MS, type ListenerDeps } from "./listener-deps.ts";
import { orTell, TRY_AGAIN } from "./press.ts";
import { pressedThread } from "./pressed-thread.ts";

const Ok = z.looseObject({});
/** Leaves time to open the modal before its trigger ends. */
const AGENTS_WITHIN_MS = 800;
const ASK_WITHIN_MS = 1_000;
const ABSENT: ReadonlySet<string> = new Set([
  "not_in_channel",
  "channel_not_found",
  "thread_not_found",
  "message_not_found",
]);

/** "Hand to Deckhand" in the menu of a message: a modal, then work in that message's thread. */
export function listenToHandOver(app: App, deps: ListenerDeps): void {
  const { api } = deps;

  app.shortcut({ callback_id: HAND_OVER_SHORTCUT, type: "message_action" }, ({ shortcut, ack, respond }) =>
    orTell(respond, async () => {
      const key = pressedThread(shortcut);
      const thread = parseChatThreadKey(key);
      if (thread.surface !== "slack") throw new TerminalError("This message is in no thread of Slack.");
      const { team, channel, threadTs } = thread;
      const agents = await agentsNow(deps, key);
      await api.call(
        { team, method: "views.open" },
        (client) =>
          client.views.open({
            trigger_id: shortcut.trigger_id,
            view: handOverModal({ team, channel, threadTs }, agents),
          }),
        Ok,
        AbortSignal.timeout(BEFORE_ACK_MS),
      );
      await ack();
    }),
  );

  app.view(HAND_OVER_MODAL, async ({ view, body, ack }) => {
    try {
      await handOver(deps, view, body.user.id);
    } catch (error) {
      deps.log.error({ slack_callback_id: HAND_OVER_MODAL, error: messageOf(error) }, "a message was not handed over");
      await ack(handOverRefused(error instanceof TerminalError ? error.message : TRY_AGAIN));
      return;
    }
    await ack();
  });
}

async function handOver(deps: ListenerDeps, view: unknown, personId: string): Promise<void> {
  const { team, channel, threadTs, viewId, agentId, instruction } = parseHandOver(view);
  await refuseWhereAbsent(deps, { team, channel, threadTs });
  await deps.core.accept({
    thread: chatThreadKey({ surface: "slack", team, channel, threadTs }),
    messageId: `view:${viewId}`,
    receiptId: null,
    item: {
      type: "message",
      personId,
      text: instruction,
      attachments: [],
      addressed: true,
      agentId,
      reactTo: null,
      handedOver: true,
    },
  });
}

/**
 * Where the bot can't read it can't post either, and only the modal is left to say so in.
 * @throws TerminalError there; what can't be told now is no reason to turn work away
 */
async function refuseWhereAbsent(
  { api, log }: ListenerDeps,
  { team, channel, threadTs }: HandOverCarried,
): Promise<void> {
  try {
    await api.callIfRoom(
      { team, method: "conversations.replies" },
      (client) => client.conversations.replies({ channel, ts: threadTs, limit: 1 }),
      Ok,
      AbortSignal.timeout(ASK_WITHIN_MS),
    );
  } catch (error) {
    if (refusedWith(error, ABSENT)) throw error;
    log.info({ slack_team: team, error: messageOf(error) }, "it is not known whether a thread can be written in");
  }
}

/** Without a choice of agents the modal still does its work. */
async function agentsNow({ core, log }: ListenerDeps, thread: ChatThreadKey): Promise<AgentOption[]> {
  try {
    return await core.agents(thread, AbortSignal.timeout(AGENTS_WITHIN_MS));
  } catch (error) {
    log.warn({ error: messageOf(error) }, "no agents to choose from: the platform did not say");
    return [];
  }
}
