import { z } from "zod";
import type { Logger } from "../log.ts";
import { jobs } from "./jobs.ts";
import type { JobHandler, JobName } from "./queue.ts";

/** Parses the payload and runs the handler. Never throws: a failure is logged, unless the worker is being stopped. */
export async function handleJob<Name extends JobName>(
  name: Name,
  data: unknown,
  handler: JobHandler<Name>,
  signal: AbortSignal,
  log: Logger,
): Promise<void> {
  const payload = jobs[name].safeParse(data);
  if (!payload.success) {
    log.error({ job: name, error: z.prettifyError(payload.error) }, "job payload does not parse");
    return;
  }
  try {
    await handler(payload.data as Parameters<typeof handler>[0], signal);
  } catch (error) {
    if (!signal.aborted) log.error({ job: name, ...payload.data, err: error }, "job failed");
  }
}
