import { z } from "zod";
import { POST_EVENT_TYPE } from "./posting.ts";
import { repliesOf } from "./replies.ts";
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
  signal.throwIfAborted();
  const { botUserId, botId } = await api.workspace(thread.team);
  for await (const replies of repliesOf(api, thread, { since, before: null }, Reply, signal)) {
    const own = replies.filter(({ user, bot_id }) => user === botUserId || (botId !== null && bot_id === botId));
    const post = own.find((reply) => carries(reply, marker));
    if (post) return post.ts;
  }
  return null;
}

const Reply = z.looseObject({
  ts: z.string(),
  user: z.string().nullish(),
  bot_id: z.string().nullish(),
  metadata: z.looseObject({ event_type: z.string().nullish(), event_payload: z.unknown() }).nullish(),
  blocks: z.array(z.looseObject({ block_id: z.string().nullish() })).nullish(),
});
const Payload = z.looseObject({ marker: z.string() });

function carries({ metadata, blocks }: z.infer<typeof Reply>, marker: string): boolean {
  const payload = metadata?.event_type === POST_EVENT_TYPE ? Payload.safeParse(metadata.event_payload).data : undefined;
  return payload?.marker === marker || (blocks ?? []).some((block) => block.block_id === marker);
}
