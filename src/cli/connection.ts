import { readFile } from "node:fs/promises";
import Anthropic from "@anthropic-ai/sdk";
import type { Config } from "../config.ts";
import { sandboxImageTag } from "../embedded/sandbox-image.ts";
import type { Logger } from "../log.ts";
import { startDeckhand } from "../main.ts";
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
  const running = url ?? config.apiUrl ?? (await serverOfHome(config.home, signal));
  if (running !== null) {
    const apiKey = config.apiKey ?? (await savedKey(config.home));
    return { ...reach(running, apiKey), sandboxImage: await expectedImage(config), close: async () => {} };
  }
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

async function expectedImage(config: Config): Promise<string> {
  return config.sandbox.image ?? (await sandboxImageTag());
}

function reach(url: string, apiKey: string) {
  return { url, client: new Anthropic({ baseURL: url, apiKey }) };
}

/** Null when there is none that answers. */
async function serverOfHome(home: string, signal: AbortSignal): Promise<string | null> {
  const server = await findServer(home);
  if (!server) return null;
  const timeout = AbortSignal.any([signal, AbortSignal.timeout(HEALTH_TIMEOUT_MS)]);
  const healthy = await fetch(new URL("/healthz", server.url), { signal: timeout }).then(
    (response) => response.ok,
    () => false,
  );
  signal.throwIfAborted();
  return healthy ? server.url : null;
}

async function savedKey(home: string): Promise<string> {
  try {
    return (await readFile(apiKeyFile(home), "utf8")).trim();
  } catch (error) {
    throw new Error("Set DECKHAND_API_KEY to a key of that server.", { cause: error });
  }
}
