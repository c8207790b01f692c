import { notFound } from "../errors.ts";
import { assertNotExpired, copyOf } from "../files/file-row.ts";
import { lockOriginals } from "../files/file-store.ts";
import type { Prisma } from "../generated/client.ts";
import type { RepositorySettings, SessionResource } from "../schemas/resource.ts";
import { toResource } from "./session-view.ts";

export interface NewFileResource {
  type: "file";
  id: string;
  /** The uploaded file; the session gets a copy of it. */
  originalId: string;
  mountPath: string;
}

export interface NewRepositoryResource {
  type: "github_repository";
  id: string;
  mountPath: string;
  settings: RepositorySettings;
  /** Encrypted. */
  token: Uint8Array<ArrayBuffer> | null;
}

export type NewResource = NewFileResource | NewRepositoryResource;

interface Owner {
  workspaceId: string;
  sessionId: string;
}

/**
 * Within the transaction that makes the session or adds to it.
 * @throws AppError `not_found` for a file that is not there or has expired
 */
export async function insertResources(
  tx: Prisma.TransactionClient,
  owner: Owner,
  resources: readonly NewResource[],
): Promise<SessionResource[]> {
  const files = resources.filter((resource) => resource.type === "file");
  const repositories = resources.filter((resource) => resource.type === "github_repository");
  // One time for all of them: it is their ids that keep them in order.
  const createdAt = new Date();
  return [
    ...(await insertFiles(tx, owner, files, createdAt)),
    ...(await insertRepositories(tx, owner, repositories, createdAt)),
  ];
}

async function insertRepositories(
  tx: Prisma.TransactionClient,
  { workspaceId, sessionId }: Owner,
  repositories: NewRepositoryResource[],
  createdAt: Date,
): Promise<SessionResource[]> {
  if (repositories.length === 0) return [];
  const rows = await tx.sessionResource.createManyAndReturn({
    data: repositories.map(({ id, mountPath, settings, token }) => ({
      id,
      workspaceId,
      sessionId,
      mountPath,
      repository: settings,
      token,
      createdAt,
    })),
  });
  return rows.map(toResource);
}

async function insertFiles(
  tx: Prisma.TransactionClient,
  { workspaceId, sessionId }: Owner,
  resources: NewFileResource[],
  createdAt: Date,
): Promise<SessionResource[]> {
  if (resources.length === 0) return [];
  const originals = await lockOriginals(
    tx,
    workspaceId,
    resources.map((resource) => resource.originalId),
  );
  const copies = resources.map(({ id, originalId, mountPath }) => {
    const original = originals.get(originalId);
    if (!original) throw notFound("File", originalId);
    assertNotExpired(original);
    return { id, mountPath, file: copyOf(original, sessionId) };
  });
  await tx.file.createMany({ data: copies.map((copy) => copy.file) });
  const rows = await tx.sessionResource.createManyAndReturn({
    data: copies.map(({ id, mountPath, file }) => ({
      id,
      workspaceId,
      sessionId,
      fileId: file.id,
      mountPath,
      createdAt,
    })),
  });
  return rows.map(toResource);
}
