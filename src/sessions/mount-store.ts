import type { PrismaClient } from "../generated/client.ts";

export interface Mount {
  resourceId: string;
  fileId: string;
  /** Absolute, below `/mnt/session/uploads`. */
  mountPath: string;
}

/** What is to be put into a session's sandbox, oldest first. */
export function createMountStore(prisma: PrismaClient) {
  return {
    async mountsOf(sessionId: string): Promise<Mount[]> {
      const rows = await prisma.sessionResource.findMany({
        where: { sessionId },
        orderBy: [{ createdAt: "asc" }, { id: "asc" }],
        select: { id: true, fileId: true, mountPath: true },
      });
      return rows.map(({ id, ...mount }) => ({ resourceId: id, ...mount }));
    },
  };
}

export type MountStore = ReturnType<typeof createMountStore>;
