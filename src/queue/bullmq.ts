import {
  createPostgresBackend,
  createRedisBackend,
  Queue as BullQueue,
  Worker as BullWorker,
  withBackend,
  type WorkerOptions,
} from "bullmq";
import { z } from "zod";
import { messageOf } from "../errors.ts";
import type { Logger } from "../log.ts";
import { handleJob } from "./handle-job.ts";
import { jobs } from "./jobs.ts";
import type { JobName, Queue, Worker } from "./queue.ts";

/** Where the jobs are kept. Both speak the same BullMQ. */
export type QueueBackend =
  | { type: "postgres"; url: string }
  | {
      type: "redis";
      url: string;
      /** Begins every key, so that installations can share a server. */
      prefix: string;
    };

/**
 * Jobs are hints and the lease is the lock, so a job is tried once, a stalled one is not revived, and a finished one
 * leaves nothing behind.
 */
const JOB_OPTIONS = { attempts: 1, removeOnComplete: true, removeOnFail: true } as const;
const LOCK_MS = 30_000;
const CLOSE_TIMEOUT_MS = 4_000;
const POSTGRES_CONNECTIONS_MAX = 8;

interface BullQueueLike {
  add(name: string, payload: unknown, options: { delay?: number }): Promise<unknown>;
  waitUntilReady(): Promise<unknown>;
  close(): Promise<void>;
  on(event: "error", listener: (error: Error) => void): unknown;
}

interface BullWorkerLike {
  waitUntilReady(): Promise<unknown>;
  close(): Promise<void>;
  on(event: "error", listener: (error: Error) => void): unknown;
}

type Process = (job: { name: string; data: unknown }) => Promise<void>;
type Options = Pick<WorkerOptions, "concurrency" | "lockDuration" | "maxStalledCount">;

/** Connects and makes the backend's own tables where they are missing. */
export async function connectQueue(backend: QueueBackend, log: Logger): Promise<Queue> {
  const classes = backend.type === "postgres" ? postgresClasses(backend.url) : redisClasses(backend);
  const queues = new Map<JobName, BullQueueLike>();
  const workers = new Set<Worker>();
  for (const name of z.array(z.object(jobs).keyof()).parse(Object.keys(jobs))) {
    const queue = classes.queue(name);
    queue.on("error", (error) => log.warn({ job: name, error: messageOf(error) }, "queue connection failed"));
    queues.set(name, queue);
  }
  await Promise.all([...queues.values()].map((queue) => queue.waitUntilReady()));

  return {
    async enqueue(name, payload, options = {}) {
      const data = jobs[name].parse(payload);
      await queues.get(name)?.add(name, data, options.delayMs ? { delay: options.delayMs } : {});
    },
    async work(name, handler, { concurrency }) {
      const stopping = new AbortController();
      const process: Process = (job) => handleJob(name, job.data, handler, stopping.signal, log);
      const bull = classes.worker(name, process, { concurrency, lockDuration: LOCK_MS, maxStalledCount: 0 });
      bull.on("error", (error) => log.warn({ job: name, error: messageOf(error) }, "queue connection failed"));
      await bull.waitUntilReady();
      let stopped: Promise<void> | null = null;
      const stop = async () => {
        stopping.abort(new Error("The worker is stopping."));
        await closed(name, bull.close(), log);
        workers.delete(worker);
      };
      const worker: Worker = { stop: () => (stopped ??= stop()) };
      workers.add(worker);
      return worker;
    },
    async close() {
      await Promise.all([...workers].map((worker) => worker.stop()));
      await Promise.all([...queues].map(([name, queue]) => closed(name, queue.close(), log)));
      queues.clear();
    },
  };
}

/** BullMQ waits for a backend that has gone away for ever, though a queue of hints has nothing in it to wait for. */
async function closed(name: JobName, closing: Promise<void>, log: Logger): Promise<void> {
  const late = Promise.withResolvers<void>();
  const timer = setTimeout(() => {
    log.warn({ job: name }, "queue not closed in time");
    late.resolve();
  }, CLOSE_TIMEOUT_MS);
  await Promise.race([closing, late.promise]);
  clearTimeout(timer);
}

function postgresClasses(url: string) {
  const bull = withBackend(createPostgresBackend);
  // A job that a crash takes back is a hint lost, and nobody should wait for the disk to keep a hint.
  const options = "-c synchronous_commit=off";
  const connection = { connectionString: url, max: POSTGRES_CONNECTIONS_MAX, migrate: true, options };
  return {
    queue: (name: JobName): BullQueueLike => new bull.Queue(name, { connection, defaultJobOptions: JOB_OPTIONS }),
    worker: (name: JobName, process: Process, options: Options): BullWorkerLike =>
      new bull.Worker(name, process, { connection, ...options }),
  };
}

function redisClasses({ url, prefix }: { url: string; prefix: string }) {
  const connection = { url, maxRetriesPerRequest: null };
  return {
    queue: (name: JobName): BullQueueLike =>
      new BullQueue(name, { connection, prefix, defaultJobOptions: JOB_OPTIONS }, createRedisBackend),
    worker: (name: JobName, process: Process, options: Options): BullWorkerLike =>
      new BullWorker(name, process, { connection, prefix, ...options }, createRedisBackend),
  };
}
