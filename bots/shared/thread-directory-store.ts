import type { Database } from "../../src/database.ts";
import type { ThreadDirectory, ThreadSummary } from "./chat-records.ts";
import { chatThreadKey, parseChatThreadKey } from "./chat-thread.ts";

const NOTHING_READ = { sessionId: null, requester: null, seenMessageId: null, severalPeople: false, busy: false };

export function createThreadDirectoryStore(prisma: Database["prisma"]): ThreadDirectory {
  return {
    async reading(key) {
      const row = await prisma.chatThread.findUnique({ where: { key } });
      if (!row?.sessionId) return NOTHING_READ;
      const { sessionId, requester, seenMessageId, severalPeople } = row;
      return { sessionId, requester, seenMessageId, severalPeople, busy: row.wakes > row.deliveredWake };
    },

    async told(key, sessionId, { messageId, others }) {
      await prisma.chatThread.updateMany({
        where: { key, sessionId },
        data: { seenMessageId: messageId, ...(others && { severalPeople: true }) },
      });
    },

    async began(key, { place, requester, title }) {
      await prisma.$executeRaw`
        UPDATE chat_threads SET
          place = ${place}::text, requester = ${requester}, title = ${title}, state = 'working', active_at = now()
        WHERE key = ${key} AND session_id IS NOT NULL AND requester IS NULL`;
    },

    async reached(key, state) {
      await prisma.$executeRaw`
        UPDATE chat_threads SET state = ${state}, active_at = now() WHERE key = ${key} AND session_id IS NOT NULL`;
    },

    async summary(key) {
      const row = await prisma.chatThread.findUnique({ where: { key } });
      return row && (summaryOf(row)[0] ?? null);
    },

    async list({ team, place, requester, running, limit }) {
      const rows = await prisma.chatThread.findMany({
        where: {
          sessionId: { not: null },
          activeAt: { not: null },
          ...(team !== undefined && { OR: [{ place: team }, { place: { startsWith: `${team}:` } }] }),
          ...(place !== undefined && { AND: { place } }),
          ...(requester !== undefined && { requester }),
          ...(running === true && { state: { in: ["working", "waiting"] } }),
        },
        orderBy: { activeAt: "desc" },
        take: limit,
      });
      return rows.flatMap(summaryOf);
    },

    async chosenAgent(key) {
      return (await prisma.chatThread.findUnique({ where: { key }, select: { agentId: true } }))?.agentId ?? null;
    },

    async chooseAgent(key, agentId) {
      await prisma.$executeRaw`
        INSERT INTO chat_threads (key, surface, agent_id) VALUES (${key}, ${parseChatThreadKey(key).surface}, ${agentId})
        ON CONFLICT (key) DO UPDATE SET agent_id = EXCLUDED.agent_id`;
    },
  };
}

type Row = Awaited<ReturnType<Database["prisma"]["chatThread"]["findUniqueOrThrow"]>>;

/** Empty for a thread without a session. */
function summaryOf(row: Row): ThreadSummary[] {
  if (row.sessionId === null) return [];
  return [
    {
      thread: chatThreadKey(parseChatThreadKey(row.key)),
      sessionId: row.sessionId,
      title: row.title ?? "",
      requester: row.requester,
      state: parseState(row.state),
      activeAt: row.activeAt ?? row.createdAt,
    },
  ];
}

function parseState(text: string | null): ThreadSummary["state"] {
  return (text ?? "working") as ThreadSummary["state"];
}
