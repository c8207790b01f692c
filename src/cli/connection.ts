import { readFile } from "node:fs/promises";
import Anthropic from "@anthropic-ai/sdk";
import { apiErrorText } from "../../bots/shared/api-errors.ts";
import type { Config } from "../config.ts";
import { sandboxImageTag } from "../embedded/sandbox-image.ts";
import type { Logger } from "../log.ts";
import { apiKeyFile } from "../roles/operator-key.ts";
import { findServer } from "../roles/server-file.ts";
import type { Progress } from "./progress.ts";

export interface Connection {
  client: Anthropic;
  url: string;
  /** The image sandboxes are made from: for a server that ran before, the one it uses when it has the same settings. */
  sandboxImage: string;
  /** Stops what was started for this connection; a server that ran before is left alone. */
  close(): Promise<void>;
}

export interface ConnectOptions {
  config: Config;
  /** The server the user named; null for the one of this home. */
  url: string | null;
  log: Logger;
  progress: Progress;
  signal: AbortSignal;
}

const HEALTH_TIMEOUT_MS = 2_000;

/**
 * Reaches a Deckhand server: the one that is named, else the one that runs in this home, else one that is started for this
 * connection, on any free port.
 */
export async function connect({ config, url, log, progress, signal }: ConnectOptions): Promise<Connection> {
  const running = await reachRunning({ config, url, signal });
  if (running !== null) return { ...running, sandboxImage: await expectedImage(config), close: async () => {} };
  // Loaded late: with a server at hand nothing of it is needed.
  const { startDeckhand } = await import("../main.ts");
  const deckhand = await startDeckhand({
    config: { ...config, port: 0 },
    roles: ["api", "worker"],
    log,
    progress,
    signal,
  });
  const sandboxImage = deckhand.sandboxImage ?? (await expectedImage(config));
  return { ...reach(deckhand.url, deckhand.apiKey), sandboxImage, close: () => deckhand.stop() };
}

/**
 * The server that is named, else the one that runs in this home; null when none does. Starts nothing.
 * @throws Error that says so when nothing answers where one was named, or its key is not known
 */
export async function reachRunning({
  config,
  url,
  signal,
}: Pick<ConnectOptions, "config" | "url" | "signal">): Promise<Pick<Connection, "client" | "url"> | null> {
  const named = url ?? config.apiUrl;
  if (named !== null && (await ask(named, signal)) === "silent") throw new Error(`Nothing answers at ${named}.`);
  const running = named ?? (await serverOfHome(config.home, signal));
  return running === null ? null : reach(running, config.apiKey ?? (await savedKey(config.home)));
}

/** An error of the API says what is wrong in the middle of its JSON; others pass as they are. */
export function inPlainWords(error: unknown): unknown {
  const text = apiErrorText(error);
  return text === null ? error : new Error(text, { cause: error });
}

async function expectedImage(config: Config): Promise<string> {
  return config.sandbox.image ?? (await sandboxImageTag());
}

function reach(url: string, apiKey: string) {
  return { url, client: new Anthropic({ baseURL: url, apiKey }) };
}

/** Null when there is none that is ready. */
async function serverOfHome(home: string, signal: AbortSignal): Promise<string | null> {
  const server = await findServer(home);
  return server && (await ask(server.url, signal)) === "ready" ? server.url : null;
}

async function ask(url: string, signal: AbortSignal): Promise<"ready" | "not_ready" | "silent"> {
  try {
    const timeout = AbortSignal.any([signal, AbortSignal.timeout(HEALTH_TIMEOUT_MS)]);
    return (await fetch(new URL("/healthz", url), { signal: timeout })).ok ? "ready" : "not_ready";
  } catch {
    signal.throwIfAborted();
    return "silent"; // Refused, unknown or too slow: nobody to talk to in any case.
  }
}

async function savedKey(home: string): Promise<string> {
  try {
    return (await readFile(apiKeyFile(home), "utf8")).trim();
  } catch (error) {
    throw new Error("Set DECKHAND_API_KEY to a key of that server.", { cause: error });
  }
}
