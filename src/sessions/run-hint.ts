import type { Logger } from "../log.ts";
import { messageOf } from "../errors.ts";
import type { Queue } from "../queue/queue.ts";

/** The work is committed already, so nobody should wait longer than this for a queue that has gone away. */
const ENQUEUE_TIMEOUT_MS = 2_000;

/**
 * Tells the workers that a session has work. Never throws: a hint that is lost is logged, and the sweeper finds the work
 * in the database.
 * @returns a function of the session's id and of how long the hint should wait
 */
export function createRunHint(queue: Pick<Queue, "enqueue">, log: Logger) {
  return async (sessionId: string, delayMs = 0): Promise<void> => {
    const { promise: timeout, reject } = Promise.withResolvers<never>();
    const timer = setTimeout(() => reject(new Error(`no answer in ${ENQUEUE_TIMEOUT_MS} ms`)), ENQUEUE_TIMEOUT_MS);
    try {
      await Promise.race([queue.enqueue("run-session", { session_id: sessionId }, { delayMs }), timeout]);
    } catch (error) {
      log.warn({ session_id: sessionId, reason: messageOf(error) }, "run-session was not enqueued");
    } finally {
      clearTimeout(timer);
    }
  };
}
