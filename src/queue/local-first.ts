import type { Logger } from "../log.ts";
import { handleJob } from "./handle-job.ts";
import type { JobName, Queue, Worker } from "./queue.ts";

/** Takes a job if there is room for it; false when there is none. */
type Offer = (payload: unknown) => boolean;

/**
 * The same queue, but a job whose worker is in this process and has room goes to it directly. Jobs are hints, so the
 * backend has nothing to keep; the way through it takes longer than all else between a message and the model. A job that
 * finds no room here, or is to wait, takes that way, and then any process may get it.
 */
export function localFirst(queue: Queue, log: Logger): Queue {
  const offers = new Map<JobName, Offer>();
  const workers = new Set<Worker>();

  return {
    async enqueue(name, payload, options = {}) {
      if (!options.delayMs && offers.get(name)?.(payload)) return;
      await queue.enqueue(name, payload, options);
    },

    async work(name, handler, { concurrency }) {
      const remote = await queue.work(name, handler, { concurrency });
      const stopping = new AbortController();
      const underWay = new Set<Promise<void>>();
      const offer: Offer = (payload) => {
        if (underWay.size >= concurrency) return false;
        const job = handleJob(name, payload, handler, stopping.signal, log).finally(() => underWay.delete(job));
        underWay.add(job);
        return true;
      };
      offers.set(name, offer);

      let stopped: Promise<void> | null = null;
      const stop = async () => {
        if (offers.get(name) === offer) offers.delete(name);
        stopping.abort(new Error("The worker is stopping."));
        await Promise.all([remote.stop(), ...underWay]);
        workers.delete(worker);
      };
      const worker: Worker = { stop: () => (stopped ??= stop()) };
      workers.add(worker);
      return worker;
    },

    async close() {
      await Promise.all([...workers].map((worker) => worker.stop()));
      await queue.close();
    },
  };
}
