import type { Database } from "../../src/database.ts";
import type { AuditStore } from "./chat-records.ts";

export function createAuditStore(prisma: Database["prisma"]): AuditStore {
  return {
    async record({ action, place, thread, sessionId, person, detail }) {
      await prisma.$executeRaw`
        INSERT INTO chat_audit (action, place, chat_thread_key, session_id, person, person_name, email, detail)
        VALUES (${action}, ${place}::text, ${thread}::text, ${sessionId}::text, ${person?.id ?? null}::text,
          ${person?.name ?? null}::text, ${person?.email ?? null}::text, ${JSON.stringify(detail)}::jsonb)`;
    },

    async list({ place, sessionId, limit }) {
      const rows = await prisma.chatAudit.findMany({
        where: {
          ...(place !== undefined && { OR: [{ place }, { place: { startsWith: `${place}:` } }] }),
          ...(sessionId !== undefined && { sessionId }),
        },
        orderBy: { id: "desc" },
        take: limit,
      });
      return rows.map(({ at, action, place, chatThreadKey, sessionId, person, personName, email, detail }) => ({
        at,
        action,
        place,
        thread: chatThreadKey,
        sessionId,
        person,
        personName,
        email,
        detail,
      }));
    },
  };
}
