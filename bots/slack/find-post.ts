import { z } from "zod";
import { refusedWith } from "./errors.ts";
import { POST_EVENT_TYPE } from "./posting.ts";
import type { SlackThread } from "./slack-thread.ts";
import type { SlackApi } from "./web-api.ts";

/**
 * The `ts` of our post with this marker; null when there is none. Reads the thread page by page.
 * @param since nothing before this `ts` is looked at; null for the whole thread
 */
export async function findPost(
  api: SlackApi,
  thread: SlackThread,
  marker: string,
  since: string | null,
  signal: AbortSignal,
): Promise<string | null> {
  const { botUserId, botId } = await api.workspace(thread.team);
  for await (const replies of pagesOf(api, thread, since, signal)) {
    const own = replies.filter(({ user, bot_id }) => user === botUserId || (botId !== null && bot_id === botId));
    const post = own.find((reply) => carries(reply, marker));
    if (post) return post.ts;
  }
  return null;
}

const PAGE_LIMIT = 200;
/** A thread of more than 20,000 messages is read no further. */
const PAGES_MAX = 100;

const Reply = z.looseObject({
  ts: z.string(),
  user: z.string().nullish(),
  bot_id: z.string().nullish(),
  metadata: z.looseObject({ event_type: z.string().nullish(), event_payload: z.unknown() }).nullish(),
  blocks: z.array(z.looseObject({ block_id: z.string().nullish() })).nullish(),
});
type Reply = z.infer<typeof Reply>;
const Page = z.looseObject({
  messages: z.array(Reply),
  response_metadata: z.looseObject({ next_cursor: z.string().nullish() }).nullish(),
});
const Payload = z.looseObject({ marker: z.string() });
const NO_THREAD: ReadonlySet<string> = new Set(["thread_not_found"]);

async function* pagesOf(
  api: SlackApi,
  { team, channel, threadTs }: SlackThread,
  since: string | null,
  signal: AbortSignal,
): AsyncGenerator<Reply[]> {
  const call = { team, method: "conversations.replies" };
  const fixed = { channel, ts: threadTs, limit: PAGE_LIMIT, include_all_metadata: true };
  let cursor = "";
  for (let page = 0; page < PAGES_MAX; page++) {
    const args = { ...fixed, ...(since !== null && { oldest: since }), ...(cursor !== "" && { cursor }) };
    try {
      const answer = await api.call(call, (client) => client.conversations.replies(args), Page, signal);
      yield answer.messages;
      cursor = answer.response_metadata?.next_cursor ?? "";
    } catch (error) {
      if (refusedWith(error, NO_THREAD)) return;
      throw error;
    }
    if (cursor === "") return;
  }
}

function carries({ metadata, blocks }: Reply, marker: string): boolean {
  const payload = metadata?.event_type === POST_EVENT_TYPE ? Payload.safeParse(metadata.event_payload).data : undefined;
  return payload?.marker === marker || (blocks ?? []).some((block) => block.block_id === marker);
}
