import path from "node:path";
import { isMissing } from "../src/embedded/file-errors.ts";
import { type Client, createClient } from "./client.ts";
import { type DeckhandProcess, startDeckhandProcess } from "./deckhand-process.ts";
import type { Bench } from "./figure.ts";
import { findInstallation } from "./installation.ts";
import { type ModelProcess, startModelProcess } from "./model-process.ts";
import { newApiKey } from "./names.ts";

/** Deckhand in a new home with a model server of its own, as processes. Torn down with the bench, containers included. */
export interface Rig {
  home: string;
  model: ModelProcess;
  client: Client;
  /** One more process in the same home. */
  startWorker(): Promise<DeckhandProcess["process"]>;
}

export interface RigOptions {
  /** Of the first process; all roles when left out. */
  role?: "api";
  /** Of the processes, besides what every rig sets. */
  env?: Record<string, string>;
}

export async function startRig(bench: Bench, { role, env = {} }: RigOptions = {}): Promise<Rig> {
  const model = await startModelProcess();
  bench.teardown.add(() => model.stop());
  const home = path.join(bench.dir, "home");
  bench.teardown.add(() => removeContainers(home));
  const apiKey = newApiKey();
  const options = { root: bench.root, home, modelUrl: model.url, apiKey, env };
  const start = async (wanted?: "api" | "worker") => {
    const started = await startDeckhandProcess({ ...options, ...(wanted ? { role: wanted } : {}) });
    bench.teardown.add(() => started.process.kill("SIGTERM"));
    return started;
  };
  const { url } = await start(role);
  if (url === null) throw new Error("The first process of a rig must have an API.");
  return { home, model, client: createClient(url, apiKey), startWorker: async () => (await start("worker")).process };
}

/** Of the Deckhand whose home it is; also of one that never ran. */
export async function removeContainers(home: string): Promise<void> {
  try {
    await (await findInstallation(home)).remove();
  } catch (error) {
    if (!isMissing(error)) throw error; // No worker came so far as to make any.
  }
}
