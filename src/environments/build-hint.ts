import { messageOf } from "../errors.ts";
import type { Logger } from "../log.ts";
import type { Queue } from "../queue/queue.ts";

/** The environment is saved already, so nobody should wait longer than this for a queue that has gone away. */
const ENQUEUE_TIMEOUT_MS = 2_000;

/**
 * Asks a worker to build an environment's packages before a session needs them. Never rejects: when the hint is lost the
 * first session builds them.
 */
export function createBuildHint(queue: Pick<Queue, "enqueue">, log: Logger) {
  return async ({ workspaceId, id }: { workspaceId: string; id: string }): Promise<void> => {
    const { promise: timeout, reject } = Promise.withResolvers<never>();
    const timer = setTimeout(() => reject(new Error(`no answer in ${ENQUEUE_TIMEOUT_MS} ms`)), ENQUEUE_TIMEOUT_MS);
    try {
      const job = queue.enqueue("build-environment", { workspace_id: workspaceId, environment_id: id });
      await Promise.race([job, timeout]);
    } catch (error) {
      log.warn({ environment_id: id, reason: messageOf(error) }, "build-environment was not enqueued");
    } finally {
      clearTimeout(timer);
    }
  };
}
