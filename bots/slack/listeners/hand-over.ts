import type { App } from "@slack/bolt";
import { z } from "zod";
import { messageOf, TerminalError } from "../../../src/errors.ts";
import { chatThreadKey, type ChatThreadKey, parseChatThreadKey } from "../../shared/chat-thread.ts";
import {
  type AgentOption,
  HAND_OVER_MODAL,
  HAND_OVER_SHORTCUT,
  handOverModal,
  handOverRefused,
  parseHandOver,
} from "../hand-over-modal.ts";
import { escapeMrkdwn } from "../mrkdwn.ts";
import { BEFORE_ACK_MS, type ListenerDeps } from "./listener-deps.ts";
import { orTell, TRY_AGAIN } from "./press.ts";
import { pressedThread } from "./pressed-thread.ts";

const Ok = z.looseObject({});
const Posted = z.looseObject({ ts: z.string() });
/** Leaves time to open the modal before its trigger ends. */
const AGENTS_WITHIN_MS = 800;

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

/**
 * The line that says so is posted first: where the bot can't post, nobody would see an answer either, and the person can
 * still be told in the modal. It is also the message that the work is known by, after everything the agent should read.
 */
async function handOver({ api, core }: ListenerDeps, view: unknown, personId: string): Promise<void> {
  const { team, channel, threadTs, viewId, agentId, instruction } = parseHandOver(view);
  const { ts } = await api.call(
    { team, method: "chat.postMessage", channel },
    (client) =>
      client.apiCall("chat.postMessage", {
        channel,
        thread_ts: threadTs,
        text: `<@${personId}> handed this to me: ${quoted(instruction)}`,
        unfurl_links: false,
        unfurl_media: false,
      }),
    Posted,
    AbortSignal.timeout(BEFORE_ACK_MS),
  );
  await core.accept({
    thread: chatThreadKey({ surface: "slack", team, channel, threadTs }),
    messageId: ts,
    receiptId: `view:${viewId}`,
    item: { type: "message", personId, text: instruction, attachments: [], addressed: true, agentId, reactTo: ts },
  });
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

/** One line, in which nothing mentions or links. */
function quoted(words: string): string {
  const line = words.replaceAll(/\s+/g, " ").slice(0, 200);
  return `_${escapeMrkdwn(line)}${line.length < words.length ? "…" : ""}_`;
}
