import { z } from "zod";
import type { AttachmentRef, EarlierMessage } from "../shared/chat-source.ts";
import { mentionedUsers, messageText } from "./mrkdwn.ts";
import type { SlackPeople } from "./people.ts";
import { repliesOf } from "./replies.ts";
import type { SlackThread } from "./slack-thread.ts";
import type { SlackApi } from "./web-api.ts";

/** The latest messages of a thread before one of them, oldest first; all of them where `before` is the id of no message. */
export async function earlierMessages(
  { api, people }: { api: SlackApi; people: SlackPeople },
  thread: SlackThread,
  before: string,
  limit: number,
  signal: AbortSignal,
): Promise<EarlierMessage[]> {
  signal.throwIfAborted();
  if (before === thread.threadTs) return [];
  const end = TIMESTAMP.test(before) ? before : null;
  let latest: Reply[] = [];
  for await (const page of repliesOf(api, thread, { since: null, before: end }, Reply, signal)) {
    const merged = new Map([...latest, ...page].map((reply) => [reply.ts, reply]));
    latest = [...merged.values()].filter(({ ts }) => end === null || Number(ts) < Number(end)).slice(-limit);
  }
  const { botUserId, botId } = await api.workspace(thread.team);
  const authors = latest.flatMap(({ user }) => user ?? []);
  const ids = new Set([...authors, ...latest.toReversed().flatMap((reply) => mentionedUsers(reply))]);
  const users = await people.names(thread.team, [...ids].slice(0, NAMES_MAX), signal);
  return latest.map((reply) => ({
    messageId: reply.ts,
    author: authorOf(reply, users),
    byAgent: reply.user === botUserId || (botId !== null && reply.bot_id === botId),
    sentAt: Math.round(Number(reply.ts) * 1000),
    text: messageText(reply, { botUserId: null, users }),
    attachments: (reply.files ?? []).flatMap((file) => attachmentOf(file)),
  }));
}

/** A message may be full of ids, also of nobody's, and each is a question of which a workspace has a hundred a minute. */
const NAMES_MAX = 150;
const TIMESTAMP = /^\d+\.\d+$/;

const File = z.looseObject({
  id: z.string(),
  name: z.string().nullish(),
  title: z.string().nullish(),
  size: z.number().nullish(),
  mode: z.string().nullish(),
});
const Reply = z.looseObject({
  ts: z.string(),
  user: z.string().nullish(),
  username: z.string().nullish(),
  bot_id: z.string().nullish(),
  bot_profile: z.looseObject({ name: z.string().nullish() }).nullish(),
  files: z.array(File).nullish(),
});
type Reply = z.infer<typeof Reply>;

function authorOf({ user, username, bot_profile: bot }: Reply, users: ReadonlyMap<string, string>): string {
  return (user && users.get(user)) || bot?.name || username || user || "an app";
}

function attachmentOf(file: z.infer<typeof File>): AttachmentRef[] {
  // Deleted, or older than what the workspace's plan shows.
  if (file.mode === "tombstone" || file.mode === "hidden_by_limit") return [];
  return [{ filename: file.name || file.title || file.id, ref: file.id, sizeBytes: file.size ?? null }];
}
