import { z } from "zod";
import { untilAborted } from "../shared/until-aborted.ts";
import { refusedWith } from "./errors.ts";
import type { SlackThread } from "./slack-thread.ts";
import type { SlackApi } from "./web-api.ts";

/** Links to threads, as `chat.getPermalink` makes them. */
export interface Permalinks {
  /** Null where Slack has none. Rejects as `SlackApi.call` does. */
  linkTo(thread: SlackThread, signal: AbortSignal): Promise<string | null>;
}

const REMEMBERED_MAX = 10_000;

const LinkAnswer = z.looseObject({ permalink: z.url() });
const NO_LINK: ReadonlySet<string> = new Set(["message_not_found", "channel_not_found", "not_in_channel"]);

/**
 * Slack is asked once for each channel, however many links are wanted at once, since all links of one differ in the message's
 * `ts` alone. Where they don't look like that, it is asked each time.
 */
export function createPermalinks(api: SlackApi): Permalinks {
  const beginnings = new Map<string, string>();
  const asking = new Map<string, Promise<string | null>>();

  const ask = async ({ team, channel, threadTs }: SlackThread, signal: AbortSignal): Promise<string | null> => {
    try {
      const { permalink } = await api.call(
        { team, method: "chat.getPermalink" },
        (client) => client.chat.getPermalink({ channel, message_ts: threadTs }),
        LinkAnswer,
        signal,
      );
      if (permalink.endsWith(`/archives/${channel}/${messagePart(threadTs)}`) && beginnings.size < REMEMBERED_MAX)
        beginnings.set(`${team}:${channel}`, permalink.slice(0, -messagePart(threadTs).length));
      return permalink;
    } catch (error) {
      if (refusedWith(error, NO_LINK)) return null;
      throw error;
    }
  };

  return {
    async linkTo(thread, signal) {
      const channel = `${thread.team}:${thread.channel}`;
      // Whatever becomes of those before: what they taught is known then.
      for (let before = asking.get(channel); before; before = asking.get(channel))
        await untilAborted(Promise.allSettled([before]), signal);
      signal.throwIfAborted();
      const known = beginnings.get(channel);
      if (known !== undefined) return known + messagePart(thread.threadTs);
      const asked = ask(thread, signal);
      asking.set(channel, asked);
      try {
        return await asked;
      } finally {
        if (asking.get(channel) === asked) asking.delete(channel);
      }
    },
  };
}

/** `p1700000000123456` for `1700000000.123456`. */
function messagePart(ts: string): string {
  return `p${ts.replace(".", "")}`;
}
