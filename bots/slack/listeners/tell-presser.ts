import type { RespondFn } from "@slack/bolt";
import { z } from "zod";
import type { ChatThreadKey } from "../../shared/chat-thread.ts";
import { isDirect, slackThread } from "../slack-thread.ts";
import type { SlackApi } from "../web-api.ts";
import { BEFORE_ACK_MS } from "./listener-deps.ts";
import { tell } from "./press.ts";

const Posted = z.looseObject({ ts: z.string() });

/**
 * Words for whoever pressed a button in a thread: seen by them alone in a channel, and a message of the thread where nobody
 * else reads it. Slack takes what only one person sees in an agent's direct messages, too, and has been seen not to show it.
 */
export async function tellPresser(api: SlackApi, respond: RespondFn, key: ChatThreadKey, text: string): Promise<void> {
  const thread = slackThread(key);
  if (!isDirect(thread)) return tell(respond, text);
  const { team, channel, threadTs } = thread;
  await api.call(
    { team, method: "chat.postMessage", channel },
    (client) => client.chat.postMessage({ channel, thread_ts: threadTs, text }),
    Posted,
    AbortSignal.timeout(BEFORE_ACK_MS),
  );
}
