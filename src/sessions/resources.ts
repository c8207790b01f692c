import { invalid, notFound } from "../errors.ts";
import { newId } from "../ids.ts";
import type { FileResource, FileResourceParams } from "../schemas/resource.ts";
import { assertMountable, resolveMountPath } from "./mount-path.ts";
import type { NewResource, SessionStore } from "./session-store.ts";

export const RESOURCES_MAX = 500;

/** What is mounted into a session. All throw AppError `not_found` for an unknown session and another workspace's. */
export interface Resources {
  /**
   * Mounts a copy of an uploaded file; a session that runs sees it from its next turn.
   * @throws AppError `invalid_request` for an archived session, a bad or taken path, or too many resources
   */
  add(workspaceId: string, sessionId: string, params: FileResourceParams): Promise<FileResource>;
  /** Oldest first. */
  list(workspaceId: string, sessionId: string): Promise<FileResource[]>;
  get(workspaceId: string, sessionId: string, id: string): Promise<FileResource>;
}

export function createResources(store: Pick<SessionStore, "find" | "insertResource">): Resources {
  const findSession = async (workspaceId: string, sessionId: string) => {
    const session = await store.find(workspaceId, sessionId);
    if (!session) throw notFound("Session", sessionId);
    return session;
  };

  return {
    async add(workspaceId, sessionId, params) {
      const { status, resources } = await findSession(workspaceId, sessionId);
      if (status === "terminated") throw invalid(`Session \`${sessionId}\` is archived or terminated.`);
      if (resources.length >= RESOURCES_MAX) throw invalid(`A session can have at most ${RESOURCES_MAX} resources.`);
      const resource = newResource(newId("sesrsc"), params, "mount_path");
      assertMountable(resource.mountPath, mountPaths(resources), "mount_path");
      return store.insertResource(workspaceId, sessionId, resource);
    },

    async list(workspaceId, sessionId) {
      return (await findSession(workspaceId, sessionId)).resources;
    },

    async get(workspaceId, sessionId, id) {
      const { resources } = await findSession(workspaceId, sessionId);
      const resource = resources.find((candidate) => candidate.id === id);
      if (!resource) throw notFound("Resource", id);
      return resource;
    },
  };
}

/** Those that a session is created with. Pure but for their ids. */
export function newResources(params: FileResourceParams[]): NewResource[] {
  // They get one time of creation, so it is their ids that keep them in order.
  const ids = params.map(() => newId("sesrsc")).toSorted();
  const resources: NewResource[] = [];
  for (const [index, entry] of params.entries()) {
    const field = `resources.${index}.mount_path`;
    const resource = newResource(ids.shift() ?? newId("sesrsc"), entry, field);
    assertMountable(
      resource.mountPath,
      resources.map((other) => other.mountPath),
      field,
    );
    resources.push(resource);
  }
  return resources;
}

function newResource(id: string, params: FileResourceParams, field: string): NewResource {
  const mountPath = resolveMountPath(params.mount_path, params.file_id, field);
  return { id, originalId: params.file_id, mountPath };
}

const mountPaths = (resources: FileResource[]) => resources.map((resource) => resource.mount_path);
