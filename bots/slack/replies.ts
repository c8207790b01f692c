import { z } from "zod";
import { refusedWith } from "./errors.ts";
import type { SlackThread } from "./slack-thread.ts";
import type { SlackApi } from "./web-api.ts";

export interface RepliesRange {
  /** Nothing before this `ts`; null for the whole thread. */
  since: string | null;
  /** Only what comes before this `ts`; null for all. */
  before: string | null;
}

/**
 * What is in a thread, the oldest first, page by page. The root may come on each page. Nothing for a thread that is gone.
 * Rejects as `SlackApi.call` does.
 */
export async function* repliesOf<Reply>(
  api: SlackApi,
  { team, channel, threadTs }: SlackThread,
  { since, before }: RepliesRange,
  reply: z.ZodType<Reply>,
  signal: AbortSignal,
): AsyncGenerator<Reply[]> {
  const page = z.looseObject({
    messages: z.array(reply),
    response_metadata: z.looseObject({ next_cursor: z.string().nullish() }).nullish(),
  });
  const range = { ...(since !== null && { oldest: since }), ...(before !== null && { latest: before }) };
  const fixed = { channel, ts: threadTs, limit: PAGE_LIMIT, include_all_metadata: true, ...range };
  let cursor = "";
  for (let count = 0; count < PAGES_MAX; count++) {
    const args = { ...fixed, ...(cursor !== "" && { cursor }) };
    try {
      const call = { team, method: "conversations.replies" };
      const answer = await api.call(call, (client) => client.conversations.replies(args), page, signal);
      yield answer.messages;
      cursor = answer.response_metadata?.next_cursor ?? "";
    } catch (error) {
      if (refusedWith(error, NO_THREAD)) return;
      throw error;
    }
    if (cursor === "") return;
  }
}

const PAGE_LIMIT = 200;
/** A thread of more than 20,000 messages is read no further. */
const PAGES_MAX = 100;
const NO_THREAD: ReadonlySet<string> = new Set(["thread_not_found", "message_not_found"]);
