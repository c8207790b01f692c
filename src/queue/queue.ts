import type { z } from "zod";
import type { jobs } from "./jobs.ts";

export type JobName = keyof typeof jobs;
export type JobPayload<Name extends JobName> = z.infer<(typeof jobs)[Name]>;

export type JobHandler<Name extends JobName> = (payload: JobPayload<Name>, signal: AbortSignal) => Promise<void>;

export interface Worker {
  /** Takes no more jobs, aborts the signal of the running ones and waits for them. Idempotent. */
  stop(): Promise<void>;
}

/**
 * Hints that there is work. Losing any of them loses nothing: a sweeper finds the work in the database.
 *
 * Contract, checked by `test/contracts/queue.ts` against each driver:
 * - a job enqueued while a worker runs is handled soon, by one worker; a job may be lost or handled twice in a crash;
 * - payloads are parsed by the job's schema on both sides; a payload that doesn't parse is logged and dropped;
 * - a handler that throws is logged; the job is not tried again.
 */
export interface Queue {
  enqueue<Name extends JobName>(name: Name, payload: JobPayload<Name>, options?: { delayMs?: number }): Promise<void>;
  work<Name extends JobName>(name: Name, handler: JobHandler<Name>, options: { concurrency: number }): Promise<Worker>;
  /** Stops workers and closes connections. Idempotent. */
  close(): Promise<void>;
}
