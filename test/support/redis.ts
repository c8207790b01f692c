import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { startRedis } from "../../src/embedded/redis.ts";
import { SILENT } from "./silent-log.ts";

const START_TIMEOUT_MS = 10_000;

/** A Redis of its own for one test file. */
export async function startTestRedis() {
  const dir = await mkdtemp(path.join(tmpdir(), "deckhand-redis-"));
  const redis = await startRedis({ dir, log: SILENT, signal: AbortSignal.timeout(START_TIMEOUT_MS) });
  return {
    url: redis.url,
    async stop() {
      await redis.stop();
      await rm(dir, { recursive: true });
    },
  };
}
