import type { Agents } from "../agents/agents.ts";
import type { Environments } from "../environments/environments.ts";
import { invalid, notFound } from "../errors.ts";
import type { Files } from "../files/files.ts";
import { newId } from "../ids.ts";
import type { Keyset } from "../keyset.ts";
import type { SessionEvent } from "../schemas/event.ts";
import type { Session, SessionCreateParams, SessionUpdateParams } from "../schemas/session.ts";
import type { SecretCipher } from "../secrets/secret-cipher.ts";
import { queuedEvent } from "./queued-event.ts";
import { newResources } from "./resources.ts";
import type { NewSession, SessionFilter, SessionStore } from "./session-store.ts";

/** All throw AppError `not_found` for an unknown session and for another workspace's. */
export interface Sessions {
  /**
   * Commits the session, its resources and its initial events together. With initial events it is `running` at once, and
   * the caller has to see to it that a harness looks at it.
   * @throws AppError `not_found` or `invalid_request` for an agent, environment, vault or file that can't be used
   */
  create(workspaceId: string, params: SessionCreateParams): Promise<Session>;
  get(workspaceId: string, id: string): Promise<Session>;
  list(workspaceId: string, filter: SessionFilter, keyset: Keyset): Promise<Session[]>;
  /**
   * Changes its title and its vaults and patches its metadata, at any time, and logs what changed.
   * @throws AppError `invalid_request` for an archived or terminated session, for metadata beyond its limits and for a
   *   vault that is archived; `not_found` for one that is not there
   */
  update(workspaceId: string, id: string, params: SessionUpdateParams): Promise<Session>;
  /**
   * Ends an idle session for good; its history stays readable. Idempotent.
   * @throws AppError `invalid_request` while it runs or has work waiting
   */
  archive(workspaceId: string, id: string): Promise<Session>;
  /**
   * Removes a session with its log and files, and ends the streams that follow it. What its sandbox leaves is taken away
   * by a worker, later.
   * @throws AppError `invalid_request` while it runs or has work waiting
   */
  delete(workspaceId: string, id: string): Promise<void>;
}

interface Dependencies {
  store: SessionStore;
  agents: Pick<Agents, "forSession">;
  environments: Pick<Environments, "get">;
  vaults: {
    /** @throws AppError `not_found` or `invalid_request` for a vault that is not there or is archived */
    assertUsable(workspaceId: string, vaultIds: readonly string[]): Promise<void>;
  };
  files: Pick<Files, "dropBlobs">;
  /** For tokens of repositories. */
  cipher: Pick<SecretCipher, "encrypt">;
  update(workspaceId: string, sessionId: string, params: SessionUpdateParams): Promise<void>;
  /** Appends a session's last events and archives it; false, with nothing done, when it is not idle. */
  terminate(workspaceId: string, sessionId: string, lastEvents: SessionEvent[]): Promise<boolean>;
  /** Tells whoever follows a session that it is gone. Never waits. */
  announceDeleted(sessionId: string): void;
  /** List price of new sessions' runtime. */
  runtimeUsdPerHour: number;
}

export function createSessions(dependencies: Dependencies): Sessions {
  const { store, files } = dependencies;
  const get = async (workspaceId: string, id: string) => {
    const session = await store.find(workspaceId, id);
    if (!session) throw notFound("Session", id);
    return session;
  };

  return {
    async create(workspaceId, params) {
      const [agent, environment] = await Promise.all([
        dependencies.agents.forSession(workspaceId, params.agent),
        dependencies.environments.get(workspaceId, params.environment_id),
      ]);
      if (environment.archived_at) {
        throw invalid(`environment_id: \`${environment.id}\` is archived and takes no new sessions`, {
          details: { error_code: "environment_archived" },
        });
      }
      const vaultIds = params.vault_ids ?? [];
      await dependencies.vaults.assertUsable(workspaceId, vaultIds);
      const threadId = newId("sthr");
      const initialEvents = (params.initial_events ?? []).map(queuedEvent);
      return store.insert(workspaceId, {
        id: newId("sesn"),
        threadId,
        agent,
        environmentId: environment.id,
        vaultIds,
        title: params.title ?? null,
        metadata: params.metadata ?? {},
        resources: await newResources(dependencies.cipher, params.resources ?? []),
        initialEvents,
        firstEvents: initialEvents.length > 0 ? runningEvents(agent.name, threadId) : [],
        runtimeUsdPerHour: dependencies.runtimeUsdPerHour,
      });
    },

    get,

    list: (workspaceId, filter, keyset) => store.list(workspaceId, filter, keyset),

    async update(workspaceId, id, params) {
      if (params.vault_ids) await dependencies.vaults.assertUsable(workspaceId, params.vault_ids);
      await dependencies.update(workspaceId, id, params);
      return get(workspaceId, id);
    },

    async archive(workspaceId, id) {
      const { agent, archived_at } = await get(workspaceId, id);
      if (!archived_at && !(await store.archiveTerminated(workspaceId, id))) {
        const threadId = await store.threadIdOf(workspaceId, id);
        await dependencies.terminate(workspaceId, id, terminatedEvents(agent.name, threadId));
      }
      const session = await get(workspaceId, id);
      if (!session.archived_at) throw busy(session, "archived");
      return session;
    },

    async delete(workspaceId, id) {
      const session = await get(workspaceId, id);
      const removed = await store.removeIdle(workspaceId, id);
      if (!removed) throw busy(session, "deleted");
      dependencies.announceDeleted(id);
      await files.dropBlobs(removed.blobKeys);
    },
  };
}

function runningEvents(agentName: string, threadId: string): NewSession["firstEvents"] {
  const { ofSession, ofThread } = stamps(agentName, threadId);
  return [
    { type: "session.status_running", ...ofSession },
    { type: "session.thread_status_running", ...ofThread },
  ];
}

function terminatedEvents(agentName: string, threadId: string): SessionEvent[] {
  const { ofSession, ofThread } = stamps(agentName, threadId);
  return [
    { type: "session.thread_status_terminated", ...ofThread },
    { type: "session.status_terminated", ...ofSession },
  ];
}

function stamps(agent_name: string, session_thread_id: string) {
  const processed_at = new Date().toISOString();
  return {
    ofSession: { id: newId("sevt"), processed_at },
    ofThread: { id: newId("sevt"), processed_at, agent_name, session_thread_id },
  };
}

function busy({ id, status }: Session, done: "archived" | "deleted") {
  const why = status === "running" || status === "rescheduling" ? `is ${status}` : "has events waiting to be processed";
  return invalid(`Session \`${id}\` ${why} and can't be ${done}; send \`user.interrupt\` and wait until it is idle.`);
}
