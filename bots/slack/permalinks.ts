import { z } from "zod";
import { refusedWith } from "./errors.ts";
import type { SlackThread } from "./slack-thread.ts";
import type { SlackApi } from "./web-api.ts";

/** Links to threads, as `chat.getPermalink` makes them. */
export interface Permalinks {
  /** Null where Slack has none. Rejects as `SlackApi.call` does. */
  linkTo(thread: SlackThread, signal: AbortSignal): Promise<string | null>;
}

const CHANNELS_REMEMBERED_MAX = 10_000;

const LinkAnswer = z.looseObject({ permalink: z.url() });
const NO_LINK: ReadonlySet<string> = new Set(["message_not_found", "channel_not_found", "not_in_channel"]);

/**
 * Slack is asked once for each channel, since all links of one differ in the message's `ts` alone. Where they don't look like
 * that, it is asked each time.
 */
export function createPermalinks(api: SlackApi): Permalinks {
  const beginnings = new Map<string, string>();

  return {
    async linkTo({ team, channel, threadTs }, signal) {
      signal.throwIfAborted();
      const known = beginnings.get(`${team}:${channel}`);
      if (known !== undefined) return known + messagePart(threadTs);
      try {
        const { permalink } = await api.call(
          { team, method: "chat.getPermalink" },
          (client) => client.chat.getPermalink({ channel, message_ts: threadTs }),
          LinkAnswer,
          signal,
        );
        const ending = `/archives/${channel}/${messagePart(threadTs)}`;
        if (permalink.endsWith(ending) && beginnings.size < CHANNELS_REMEMBERED_MAX)
          beginnings.set(`${team}:${channel}`, permalink.slice(0, -messagePart(threadTs).length));
        return permalink;
      } catch (error) {
        if (refusedWith(error, NO_LINK)) return null;
        throw error;
      }
    },
  };
}

/** `p1700000000123456` for `1700000000.123456`. */
function messagePart(ts: string): string {
  return `p${ts.replace(".", "")}`;
}
