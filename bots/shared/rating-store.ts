import type { Database } from "../../src/database.ts";
import type { RatingStore, RatingSums } from "./chat-records.ts";

export function createRatingStore(prisma: Database["prisma"]): RatingStore {
  const sums = async (sessionId: string): Promise<RatingSums> => {
    const counts = await prisma.chatRating.groupBy({ by: ["value"], where: { sessionId }, _count: true });
    const countOf = (wanted: string) => counts.find((row) => row.value === wanted)?._count ?? 0;
    return { up: countOf("up"), down: countOf("down") };
  };
  return {
    sums,
    async rate({ thread, eventId, sessionId, person, value }) {
      await prisma.$executeRaw`
        INSERT INTO chat_ratings (chat_thread_key, event_id, person, session_id, value)
        VALUES (${thread}, ${eventId}, ${person}, ${sessionId}, ${value})
        ON CONFLICT (chat_thread_key, event_id, person) DO UPDATE SET value = EXCLUDED.value, rated_at = now()`;
      return sums(sessionId);
    },
  };
}
