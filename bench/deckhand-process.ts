import path from "node:path";
import { type Spawned, startProcess } from "./spawned.ts";

const START_TIMEOUT_MS = 150_000;

export interface DeckhandProcess {
  process: Spawned;
  /** Null for a process without an API. */
  url: string | null;
}

export interface DeckhandOptions {
  root: string;
  /** Its `DECKHAND_HOME`. */
  home: string;
  /** Of the model server. */
  modelUrl: string;
  apiKey: string;
  /** All when left out. */
  role?: "api" | "worker";
  env?: Record<string, string>;
}

/** Would make it something else than an operator's fresh start. */
const UNSET = ["DATABASE_URL", "REDIS_URL", "HOST", "DECKHAND_URL", "DECKHAND_LEASE_MS", "DECKHAND_SANDBOX_POOL"];

/** `deckhand up` as an operator starts it, on embedded defaults and a free port. Resolves when it is ready. */
export async function startDeckhandProcess(options: DeckhandOptions): Promise<DeckhandProcess> {
  const { root, home, modelUrl, apiKey, role, env } = options;
  const set = {
    DECKHAND_HOME: home,
    DECKHAND_API_KEY: apiKey,
    ANTHROPIC_API_KEY: "bench",
    ANTHROPIC_BASE_URL: modelUrl,
    PORT: "0",
    LOG_LEVEL: "warn",
    ...env,
  };
  const args = ["up", ...(role ? ["--role", role] : [])];
  const spawned = startProcess(path.join(root, "deckhand"), args, { set, unset: UNSET });
  try {
    if (role === "worker") {
      await spawned.firstLine(/(Deckhand is up)/, START_TIMEOUT_MS);
      return { process: spawned, url: null };
    }
    return { process: spawned, url: await spawned.firstLine(/Deckhand is up.*\bURL +(http\S+)/s, START_TIMEOUT_MS) };
  } catch (error) {
    await spawned.kill("SIGKILL");
    throw error;
  }
}
