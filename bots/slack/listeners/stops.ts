import type { App } from "@slack/bolt";
import { z } from "zod";
import { parseChatThreadKey } from "../../shared/chat-thread.ts";
import { ACTION_IDS, parseStop } from "../action-ids.ts";
import { nativeStop, type StopEvent, stopId, stopReaction, type StopReaction } from "../stop-event.ts";
import { refusedWith } from "../errors.ts";
import type { SlackApi } from "../web-api.ts";
import { BEFORE_ACK_MS, type ListenerDeps } from "./listener-deps.ts";
import { orTell, Press } from "./press.ts";

const Ok = z.looseObject({});
const Replies = z.looseObject({
  messages: z.array(z.looseObject({ ts: z.string(), thread_ts: z.string().optional() })).optional(),
});
/** The reaction outlived what it was put on, or stands where we can't look. */
const NOT_TO_BE_SEEN = new Set(["thread_not_found", "channel_not_found", "not_in_channel", "message_not_found"]);

/** Slack's own stop button, ours, and the reaction 🛑. The word `stop` is a message. */
export function listenToStops(app: App, deps: ListenerDeps): void {
  app.event("agent_session_stopped", async ({ body }) => {
    const stop = nativeStop(body);
    if (!stop) return;
    await keep(deps, stop);
    // Slack leaves it to the app to end the working sign, also when nothing ran any more.
    deps.afterwards.run("end the working sign", (signal) => endWorkingSign(deps.api, stop, signal));
  });

  app.event("reaction_added", async ({ body, context }) => {
    const reaction = stopReaction(body, context.botUserId ?? "");
    if (!reaction) return;
    const threadTs = await threadOf(deps.api, reaction);
    if (threadTs === null) return;
    const stop = reaction.inThread(threadTs);
    // People put it on each other's messages, too.
    if (await deps.core.knows(stop.thread)) await keep(deps, stop);
  });

  app.action(ACTION_IDS.stop, ({ body, ack, respond }) =>
    orTell(respond, async () => {
      const { value, personId, actionTs } = Press.parse(body);
      await keep(deps, { thread: parseStop(value), messageId: stopId(actionTs), receiptId: null, personId });
      await ack();
    }),
  );
}

interface KeptStop extends Omit<StopEvent, "receiptId"> {
  receiptId: string | null;
}

async function keep({ core }: ListenerDeps, { thread, messageId, receiptId, personId }: KeptStop): Promise<void> {
  await core.accept({ thread, messageId, receiptId, item: { type: "stop", personId } });
}

/** The event names the message alone; null when Slack doesn't show it. */
async function threadOf(api: SlackApi, { team, channel, ts }: StopReaction): Promise<string | null> {
  try {
    const { messages } = await api.call(
      { team, method: "conversations.replies" },
      (client) => client.conversations.replies({ channel, ts, limit: 1, inclusive: true }),
      Replies,
      AbortSignal.timeout(BEFORE_ACK_MS),
    );
    const found = messages?.find((message) => message.ts === ts) ?? messages?.[0];
    return found ? found.thread_ts || found.ts : null;
  } catch (error) {
    if (refusedWith(error, NOT_TO_BE_SEEN)) return null;
    throw error;
  }
}

async function endWorkingSign(api: SlackApi, { thread }: StopEvent, signal: AbortSignal): Promise<void> {
  const place = parseChatThreadKey(thread);
  if (place.surface !== "slack") return;
  await api.call(
    { team: place.team, method: "agents.sessions.setStatus" },
    (client) =>
      client.agents.sessions.setStatus({ channel_id: place.channel, thread_ts: place.threadTs, status: "active" }),
    Ok,
    signal,
  );
}
