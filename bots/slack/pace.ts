import type { PaceLimit, PaceStore } from "../shared/pace-limit.ts";
import { takeSpareTurn, takeTurn } from "../shared/pace-turn.ts";

export interface PacedCall {
  team: string;
  /** As Slack calls it: `chat.postMessage`. */
  method: string;
  /** For what is posted; null for a call that no channel's pace holds for. */
  channel: string | null;
  /**
   * `normal` waits its turn. `spare` gives way: it waits until the calls of others leave room, so that redrawing a status
   * never holds up an answer.
   */
  urgency: "normal" | "spare";
}

/** Keeps all workers together within Slack's rate limits. */
export interface Pace {
  /** Resolves when the call may be made. Rejects with the signal's reason when that aborts. */
  turn(call: PacedCall, signal: AbortSignal): Promise<void>;
  /** Whether a call may be made right now; takes its slot if so. For what is not worth waiting for. */
  spareNow(call: PacedCall): Promise<boolean>;
  /** Slack said `Retry-After`: no worker makes such a call before. */
  holdOff(call: PacedCall, forMs: number): Promise<void>;
}

const MINUTE_MS = 60_000;
/**
 * Slack: about one message a second in a channel, short bursts allowed. The first posts of a thread need not wait. A little
 * more than a second, because not every call takes equally long to get there.
 */
const POST_INTERVAL_MS = 1_100;
const POST_BURST = 3;
/** Calls a minute of a method in a workspace, by tier; a fifth of them may come at once. */
const TIERS = { 2: 20, 3: 50, 4: 100 } as const;
/** "Several hundred a minute" in a workspace. */
const POSTS_PER_MINUTE = 300;

const PER_MINUTE: Record<string, number> = {
  "chat.postMessage": POSTS_PER_MINUTE,
  "chat.update": TIERS[3],
  "chat.delete": TIERS[3],
  "chat.startStream": TIERS[2],
  "chat.appendStream": TIERS[4],
  "chat.stopStream": TIERS[2],
  "chat.getPermalink": POSTS_PER_MINUTE,
  "conversations.replies": TIERS[3],
  "reactions.add": TIERS[3],
  "agents.sessions.setStatus": TIERS[3],
  "files.getUploadURLExternal": TIERS[4],
  "files.completeUploadExternal": TIERS[4],
  "files.info": TIERS[4],
  "users.info": TIERS[4],
  "auth.teams.list": TIERS[2],
  "usergroups.users.list": TIERS[2],
};
/** What makes a message in a channel. */
const POSTING = new Set(["chat.postMessage", "files.completeUploadExternal", "chat.startStream"]);

/** @param postBurst how many posts of a channel may be made at once after a rest; 1 keeps them a second apart */
export function createPace(store: PaceStore, postBurst = POST_BURST): Pace {
  const channelLimit = ({ team, method, channel }: PacedCall): PaceLimit | null =>
    channel !== null && POSTING.has(method)
      ? { key: `slack:${team}:${channel}`, intervalMs: POST_INTERVAL_MS, burst: postBurst }
      : null;

  const limitsOf = (call: PacedCall): PaceLimit[] => {
    const channel = channelLimit(call);
    return [...(channel ? [channel] : []), methodLimit(call)];
  };

  return {
    async turn(call, signal) {
      signal.throwIfAborted();
      if (call.urgency === "normal") await takeTurn(store, limitsOf(call), signal);
      else await takeSpareTurn(store, methodLimit(call), signal);
      signal.throwIfAborted();
    },

    spareNow: async (call) => (await store.reserveSpare(methodLimit(call))) <= 0,

    // Slack counts posts by channel, so a full channel must not hold up the others.
    holdOff: (call, forMs) => store.hold(channelLimit(call) ?? methodLimit(call), forMs),
  };
}

function methodLimit({ team, method }: PacedCall): PaceLimit {
  const perMinute = PER_MINUTE[method] ?? TIERS[3];
  return { key: `slack:${team}:${method}`, intervalMs: MINUTE_MS / perMinute, burst: Math.max(2, perMinute / 5) };
}
