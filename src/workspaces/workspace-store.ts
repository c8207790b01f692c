import type { PrismaClient } from "../generated/client.ts";

export interface WorkspaceStore {
  /** Does nothing when there is one with this id. */
  insertWorkspace(workspace: { id: string; name: string }): Promise<void>;
  /** Does nothing when there is one with this hash. */
  insertApiKey(apiKey: { id: string; workspaceId: string; name: string; keyHash: string }): Promise<void>;
  /** Null for an unknown or revoked key. */
  workspaceOfKey(keyHash: string): Promise<string | null>;
}

export function createWorkspaceStore(prisma: PrismaClient): WorkspaceStore {
  return {
    async insertWorkspace(workspace) {
      await prisma.workspace.createMany({ data: [workspace], skipDuplicates: true });
    },
    async insertApiKey(apiKey) {
      await prisma.apiKey.createMany({ data: [apiKey], skipDuplicates: true });
    },
    async workspaceOfKey(keyHash) {
      const found = await prisma.apiKey.findUnique({
        where: { keyHash },
        select: { workspaceId: true, revokedAt: true },
      });
      return found && found.revokedAt === null ? found.workspaceId : null;
    },
  };
}
