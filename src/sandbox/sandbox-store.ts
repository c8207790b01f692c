import type { PrismaClient } from "../generated/client.ts";

/** Which sandbox a session was given last; it may be gone by now. */
export interface SandboxRecord {
  ref: string;
  image: string;
  /** Ids of the session resources that were put in. */
  mounted: string[];
}

export interface SandboxStore {
  find(sessionId: string): Promise<SandboxRecord | null>;
  /** Replaces what the session had before. */
  save(session: { sessionId: string; workspaceId: string }, record: SandboxRecord): Promise<void>;
  /** Of these sessions, the ones that exist no more or are archived. */
  endedSessions(sessionIds: string[]): Promise<string[]>;
}

export function createSandboxStore(prisma: PrismaClient): SandboxStore {
  return {
    async find(sessionId) {
      return prisma.sandbox.findUnique({
        where: { sessionId },
        select: { ref: true, image: true, mounted: true },
      });
    },

    async save({ sessionId, workspaceId }, record) {
      await prisma.sandbox.upsert({
        where: { sessionId },
        create: { sessionId, workspaceId, ...record },
        update: { ...record, createdAt: new Date() },
      });
    },

    async endedSessions(sessionIds) {
      const live = await prisma.session.findMany({
        where: { id: { in: sessionIds }, archivedAt: null },
        select: { id: true },
      });
      const liveIds = new Set(live.map((session) => session.id));
      return sessionIds.filter((id) => !liveIds.has(id));
    },
  };
}
