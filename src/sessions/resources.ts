import { invalid, notFound } from "../errors.ts";
import { newId } from "../ids.ts";
import type {
  FileResource,
  FileResourceParams,
  RepositoryResourceParams,
  ResourceParams,
  ResourceUpdateParams,
  SessionResource,
} from "../schemas/resource.ts";
import type { SecretCipher } from "../secrets/secret-cipher.ts";
import { assertMountable, resolveClonePath, resolveMountPath } from "./mount-path.ts";
import { parseRepositoryUrl } from "./repository-url.ts";
import { tokenContext } from "./repository-token.ts";
import type { NewFileResource, NewRepositoryResource, NewResource } from "./resource-rows.ts";
import type { SessionStore } from "./session-store.ts";

export const RESOURCES_MAX = 500;

/** What is mounted into a session. All throw AppError `not_found` for an unknown session and another workspace's. */
export interface Resources {
  /**
   * Mounts a copy of an uploaded file; a session that runs sees it from its next turn.
   * @throws AppError `invalid_request` for an archived session, a bad or taken path, or too many resources
   */
  add(workspaceId: string, sessionId: string, params: FileResourceParams): Promise<FileResource>;
  /** Oldest first. */
  list(workspaceId: string, sessionId: string): Promise<SessionResource[]>;
  get(workspaceId: string, sessionId: string, id: string): Promise<SessionResource>;
  /**
   * Takes a new token for a repository, which counts from the next request that the sandbox makes to it.
   * @throws AppError `invalid_request` for a file and an archived session
   */
  update(workspaceId: string, sessionId: string, id: string, params: ResourceUpdateParams): Promise<SessionResource>;
  /**
   * Takes a file out of a session and deletes the session's copy of it. A sandbox that has it already keeps what it has.
   * @throws AppError `invalid_request` for a repository and an archived session
   */
  remove(workspaceId: string, sessionId: string, id: string): Promise<void>;
}

interface Dependencies {
  store: Pick<SessionStore, "find" | "insertResource" | "setResourceToken" | "removeResource">;
  cipher: Pick<SecretCipher, "encrypt">;
  /** Deletes bytes that no file refers to any more. */
  dropBlobs(keys: string[]): Promise<void>;
}

export function createResources({ store, cipher, dropBlobs }: Dependencies): Resources {
  const findSession = async (workspaceId: string, sessionId: string) => {
    const session = await store.find(workspaceId, sessionId);
    if (!session) throw notFound("Session", sessionId);
    return session;
  };
  const get = async (workspaceId: string, sessionId: string, id: string) => {
    const { resources, status } = await findSession(workspaceId, sessionId);
    const resource = resources.find((candidate) => candidate.id === id);
    if (!resource) throw notFound("Resource", id);
    return { resource, status };
  };

  return {
    async add(workspaceId, sessionId, params) {
      const { status, resources } = await findSession(workspaceId, sessionId);
      assertOpen(sessionId, status);
      if (resources.length >= RESOURCES_MAX) throw invalid(`A session can have at most ${RESOURCES_MAX} resources.`);
      const resource = newFile(newId("sesrsc"), params, "mount_path");
      assertMountable(
        resource.mountPath,
        resources.map(({ mount_path }) => mount_path),
        "mount_path",
      );
      return store.insertResource(workspaceId, sessionId, resource);
    },

    async list(workspaceId, sessionId) {
      return (await findSession(workspaceId, sessionId)).resources;
    },

    get: async (workspaceId, sessionId, id) => (await get(workspaceId, sessionId, id)).resource,

    async update(workspaceId, sessionId, id, { authorization_token }) {
      const { resource, status } = await get(workspaceId, sessionId, id);
      assertOpen(sessionId, status);
      if (resource.type !== "github_repository") throw invalid("authorization_token: only repositories have a token");
      const token = await cipher.encrypt(Buffer.from(authorization_token), tokenContext(id));
      if (!(await store.setResourceToken(workspaceId, sessionId, id, token))) throw notFound("Resource", id);
      return (await get(workspaceId, sessionId, id)).resource;
    },

    async remove(workspaceId, sessionId, id) {
      const { resource, status } = await get(workspaceId, sessionId, id);
      assertOpen(sessionId, status);
      if (resource.type !== "file") {
        throw invalid("A repository stays in its session; only files can be taken out. Create a session without it.");
      }
      const removed = await store.removeResource(workspaceId, sessionId, id);
      if (!removed) throw notFound("Resource", id);
      await dropBlobs(removed.blobKeys);
    },
  };
}

/**
 * Those that a session is created with, with tokens encrypted.
 * @throws AppError `invalid_request` naming the field, for a bad URL, a bad or taken path, and a repository named twice
 */
export async function newResources(
  cipher: Pick<SecretCipher, "encrypt">,
  params: readonly ResourceParams[],
): Promise<NewResource[]> {
  // They get one time of creation, so it is their ids that keep them in order.
  const ids = params.map(() => newId("sesrsc")).toSorted();
  const resources: NewResource[] = [];
  for (const [index, entry] of params.entries()) {
    const id = ids.shift() ?? newId("sesrsc");
    const field = `resources.${index}`;
    const resource =
      entry.type === "file"
        ? newFile(id, entry, `${field}.mount_path`)
        : await newRepository(id, entry, { field, cipher });
    const paths = resources.map((other) => other.mountPath);
    assertMountable(resource.mountPath, paths, `${field}.mount_path`);
    if (resource.type === "github_repository") assertOnce(resource, resources, `${field}.url`);
    resources.push(resource);
  }
  return resources;
}

function newFile(id: string, params: FileResourceParams, field: string): NewFileResource {
  const mountPath = resolveMountPath(params.mount_path, params.file_id, field);
  return { type: "file", id, originalId: params.file_id, mountPath };
}

async function newRepository(
  id: string,
  params: RepositoryResourceParams,
  { field, cipher }: { field: string; cipher: Pick<SecretCipher, "encrypt"> },
): Promise<NewRepositoryResource> {
  const { name, ...place } = parseRepositoryUrl(params.url, `${field}.url`);
  const token = params.authorization_token;
  return {
    type: "github_repository",
    id,
    mountPath: resolveClonePath(params.mount_path, name, `${field}.mount_path`),
    settings: { url: params.url, ...place, checkout: params.checkout ?? null },
    token: token === undefined ? null : await cipher.encrypt(Buffer.from(token), tokenContext(id)),
  };
}

/** The gateway finds a repository's token by its host and path. */
function assertOnce({ settings }: NewRepositoryResource, others: readonly NewResource[], field: string): void {
  const twice = others.some(
    (other) =>
      other.type === "github_repository" &&
      other.settings.host === settings.host &&
      other.settings.port === settings.port &&
      other.settings.path.toLowerCase() === settings.path.toLowerCase(),
  );
  if (twice) throw invalid(`${field}: the session has this repository already`);
}

function assertOpen(sessionId: string, status: string): void {
  if (status === "terminated") throw invalid(`Session \`${sessionId}\` is archived or terminated.`);
}
