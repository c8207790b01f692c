import { z } from "zod";
import { chatThreadKey, type ChatThreadKey } from "../shared/chat-thread.ts";
import { installedTeam } from "./installed-team.ts";

const STOP_REACTIONS = new Set(["octagonal_sign", "stop_sign"]);

const NativeStop = z.looseObject({
  event_id: z.string(),
  event: z.looseObject({
    type: z.literal("agent_session_stopped"),
    channel: z.string(),
    user: z.string(),
    thread_ts: z.string(),
    event_ts: z.string(),
  }),
});

const Reaction = z.looseObject({
  event_id: z.string(),
  event: z.looseObject({
    type: z.literal("reaction_added"),
    user: z.string(),
    reaction: z.string(),
    event_ts: z.string(),
    item: z.looseObject({ type: z.literal("message"), channel: z.string(), ts: z.string() }),
  }),
});

export interface StopEvent {
  thread: ChatThreadKey;
  messageId: string;
  receiptId: string;
  personId: string;
}

/** Pure: the press of Slack's own stop button; null when the body is none. */
export function nativeStop(body: unknown): StopEvent | null {
  const parsed = NativeStop.safeParse(body);
  const team = installedTeam(body);
  if (!parsed.success || team === null) return null;
  const { event, event_id } = parsed.data;
  return {
    thread: chatThreadKey({ surface: "slack", team, channel: event.channel, threadTs: event.thread_ts }),
    messageId: stopId(event.event_ts),
    receiptId: event_id,
    personId: event.user,
  };
}

export interface StopReaction {
  team: string;
  channel: string;
  /** Of the message that was reacted to, which may be a reply. */
  ts: string;
  /** Once the thread of that message is known. */
  inThread(threadTs: string): StopEvent;
}

/** Pure: somebody else's 🛑 on a message; null when the body is another reaction, or none. */
export function stopReaction(body: unknown, botUserId: string): StopReaction | null {
  const parsed = Reaction.safeParse(body);
  const team = installedTeam(body);
  if (!parsed.success || team === null) return null;
  const { event, event_id } = parsed.data;
  if (!STOP_REACTIONS.has(event.reaction) || event.user === botUserId) return null;
  const { channel, ts } = event.item;
  return {
    team,
    channel,
    ts,
    inThread: (threadTs) => ({
      thread: chatThreadKey({ surface: "slack", team, channel, threadTs }),
      messageId: stopId(event.event_ts),
      receiptId: event_id,
      personId: event.user,
    }),
  };
}

/** Message ids of stops are told apart from those of messages, which are bare timestamps. */
export function stopId(eventTs: string): string {
  return `stop:${eventTs}`;
}
