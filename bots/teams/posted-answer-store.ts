import type { Database } from "../../src/database.ts";
import type { ChatThreadKey } from "../shared/chat-thread.ts";

const STREAM_REF = "stream:";
const ANSWER = /^answer:(?<eventId>.+):\d+$/;

/**
 * Which answer of the agent a post of ours is: the id of its `agent.message` event; null when the post is something else.
 * A rating in Teams names the post alone. Its id is what the surface made the post's `MessageRef` of.
 */
export async function answerPostedAs(
  { prisma }: Pick<Database, "prisma">,
  thread: ChatThreadKey,
  activityId: string,
): Promise<string | null> {
  const row = await prisma.chatDelivery.findFirst({
    where: {
      chatThreadKey: thread,
      item: { startsWith: "answer:" },
      // One that another process left as a stream goes by a longer name, which ends with this one.
      OR: [{ ref: activityId }, { ref: { startsWith: STREAM_REF, endsWith: `:${activityId}` } }],
    },
    select: { item: true },
  });
  return row === null ? null : (ANSWER.exec(row.item)?.groups?.["eventId"] ?? null);
}
