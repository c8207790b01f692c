import path from "node:path";
import { z } from "zod";
import { ServedRequest } from "./served-request.ts";
import { startProcess } from "./spawned.ts";

const START_TIMEOUT_MS = 10_000;

export interface ModelProcess {
  /** What `ANTHROPIC_BASE_URL` is to be. */
  url: string;
  /** The requests it has had, oldest first. */
  requests(): Promise<ServedRequest[]>;
  stop(): Promise<void>;
}

/** The model server in a process of its own, so that it takes no time from whoever is measured. */
export async function startModelProcess(): Promise<ModelProcess> {
  const started = startProcess(process.execPath, [path.join(import.meta.dirname, "model-server.ts")]);
  const url = await started.firstLine(/^(http:\/\/\S+)$/m, START_TIMEOUT_MS);
  return {
    url,
    requests: async () => z.array(ServedRequest).parse(await (await fetch(url)).json()),
    stop: () => started.kill("SIGKILL"),
  };
}
