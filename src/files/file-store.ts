import type { File as FileRow, Prisma, PrismaClient } from "../generated/client.ts";
import { type Keyset, keysetClauses } from "../keyset.ts";

export type { File as FileRow } from "../generated/client.ts";

export type NewFile = Omit<FileRow, "createdAt">;

export interface FileFilter {
  ids?: string[] | undefined;
  sessionId?: string | undefined;
}

export interface FileStore {
  insert(file: NewFile): Promise<FileRow>;
  find(workspaceId: string, id: string): Promise<FileRow | null>;
  list(workspaceId: string, filter: FileFilter, keyset: Keyset): Promise<FileRow[]>;
  /** What was collected from a session's sandbox, oldest first. */
  outputs(sessionId: string, path?: string): Promise<FileRow[]>;
  setOutputMtime(id: string, mtimeNs: string): Promise<FileRow>;
  /** The session that has this file mounted. */
  mountedIn(workspaceId: string, id: string): Promise<string | null>;
  /** @returns keys of blobs that no file refers to any more, and none can begin to */
  remove(workspaceId: string, id: string): Promise<string[]>;
}

export function createFileStore(prisma: PrismaClient): FileStore {
  return {
    insert: (data) => prisma.file.create({ data }),

    find: (workspaceId, id) => prisma.file.findUnique({ where: { id, workspaceId } }),

    list(workspaceId, { ids, sessionId }, keyset) {
      const { where, orderBy, take } = keysetClauses(keyset);
      const filter = { ...(ids && { id: { in: ids } }), ...(sessionId !== undefined && { sessionId }) };
      return prisma.file.findMany({ where: { AND: [where, filter], workspaceId }, orderBy, take });
    },

    outputs(sessionId, path) {
      return prisma.file.findMany({
        where: { sessionId, outputPath: path ?? { not: null } },
        orderBy: [{ createdAt: "asc" }, { id: "asc" }],
      });
    },

    setOutputMtime: (id, outputMtimeNs) => prisma.file.update({ where: { id }, data: { outputMtimeNs } }),

    async mountedIn(workspaceId, fileId) {
      const resource = await prisma.sessionResource.findFirst({ where: { workspaceId, fileId } });
      return resource?.sessionId ?? null;
    },

    remove: (workspaceId, id) => prisma.$transaction((tx) => removeFiles(tx, workspaceId, { id })),
  };
}

/** @returns keys of blobs that no file refers to any more, and none can begin to once the transaction is committed */
export async function removeFiles(
  tx: Prisma.TransactionClient,
  workspaceId: string,
  where: { id: string } | { sessionId: string },
): Promise<string[]> {
  const rows = await tx.file.findMany({ where: { ...where, workspaceId } });
  if (rows.length === 0) return [];
  await lockBlobs(tx, rows);
  await tx.file.deleteMany({ where: { id: { in: rows.map((row) => row.id) }, workspaceId } });
  return unreferenced(tx, rows);
}

/**
 * Copies files into a session, within the transaction that makes the session or adds to it. The locks on the originals
 * make a concurrent deletion wait, and then see that their blobs are in use.
 * @returns the originals by id; those that are not there, or not this workspace's, are missing from it
 */
export async function lockOriginals(
  tx: Prisma.TransactionClient,
  workspaceId: string,
  ids: readonly string[],
): Promise<Map<string, FileRow>> {
  await tx.$queryRaw`SELECT id FROM files WHERE workspace_id = ${workspaceId} AND id = ANY(${ids}) ORDER BY id FOR SHARE`;
  const rows = await tx.file.findMany({ where: { workspaceId, id: { in: [...ids] } } });
  return new Map(rows.map((row) => [row.id, row]));
}

const blobKeys = (rows: FileRow[]) => [
  ...new Set(rows.flatMap(({ blobKey, previewKey }) => (previewKey ? [blobKey, previewKey] : [blobKey]))),
];

/** Two deletions of the last two files of one blob would each still see the other's. In order, so as not to deadlock. */
async function lockBlobs(tx: Prisma.TransactionClient, rows: FileRow[]): Promise<void> {
  const keys = blobKeys(rows).toSorted();
  await tx.$executeRaw`SELECT pg_advisory_xact_lock(hashtextextended(key, 0)) FROM unnest(${keys}::text[]) AS key`;
}

async function unreferenced(tx: Prisma.TransactionClient, rows: FileRow[]): Promise<string[]> {
  const keys = blobKeys(rows);
  const left = await tx.file.findMany({ where: { blobKey: { in: keys } }, select: { blobKey: true } });
  const used = new Set(left.map((row) => row.blobKey));
  return keys.filter((key) => !used.has(key));
}
