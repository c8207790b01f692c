import { mkdir, realpath, rename, stat } from "node:fs/promises";
import path from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import type { Logger } from "../log.ts";
import { isMissing } from "./file-errors.ts";
import { findPostgresBinaries } from "./postgres-binaries.ts";
import type { ServerFiles } from "./postgres-data.ts";
import { DATABASE, ensureDatabase, ensureServer, postgresUrl, stopServer } from "./postgres-server.ts";
import { processIdentity } from "./process-identity.ts";
import { withProcessLock } from "./process-lock.ts";
import { createServerUser } from "./server-user.ts";

const WATCH_INTERVAL_MS = 250;
const LOG_BYTES_MAX = 5_000_000;

export interface PostgresOptions {
  /** Everything of this server is in here: data, log, lock and, where the path is short enough, its socket. */
  dir: string;
  log: Logger;
  /** Aborts the start. Does not stop a started server: `stop` does. */
  signal: AbortSignal;
}

export interface RunningPostgres {
  /** For the database `deckhand`, which exists and may be empty. Stays the same for as long as `dir` does. */
  readonly url: string;
  /** Changes when the server had to be started again. */
  readonly pid: number;
  /** Stops the server, unless others that run are using it. Idempotent. Clients should have disconnected. */
  stop(): Promise<void>;
}

/**
 * The real Postgres that npm installed, on a Unix socket that only this account can reach.
 *
 * Any number of processes may call this with the same `dir`, at once too: the first starts the server and the others
 * join it; the last one to stop ends it. A process that is killed leaves it running for the next to join. Each of them
 * watches the server and starts it again when it dies.
 */
export async function startPostgres({ dir, log, signal }: PostgresOptions): Promise<RunningPostgres> {
  await mkdir(dir, { recursive: true, mode: 0o700 });
  const root = await realpath(dir);
  const files: ServerFiles = { dir: root, data: path.join(root, "data"), log: path.join(root, "postgres.log") };
  const lock = path.join(root, "lock");
  const user = createServerUser(path.join(root, "users"));
  const binaries = await findPostgresBinaries();
  await rotateLog(files.log);

  let server = await withProcessLock(lock, signal, async () => {
    const started = await ensureServer(files, binaries, signal);
    await ensureDatabase(started.socketDir);
    await user.join();
    return started;
  });
  log.debug({ pid: server.pid, dir: root }, "Postgres is ready");

  const watching = new AbortController();
  const watch = async () => {
    for (;;) {
      await delay(WATCH_INTERVAL_MS, undefined, { signal: watching.signal, ref: false });
      if (await processIdentity(server.pid)) continue;
      log.warn({ pid: server.pid }, "Postgres has died; starting it again");
      try {
        server = await withProcessLock(lock, watching.signal, () => ensureServer(files, binaries, watching.signal));
        log.info({ pid: server.pid }, "Postgres is ready again");
      } catch (error) {
        if (!watching.signal.aborted) log.error({ err: error }, "Postgres could not be started again");
      }
    }
  };
  const watched = watch().catch((error: unknown) => {
    if (!watching.signal.aborted) throw error;
  });

  let stopping: Promise<void> | null = null;
  const stop = async () => {
    watching.abort();
    await watched;
    await withProcessLock(lock, AbortSignal.any([]), async () => {
      if (await user.leave()) await stopServer(files);
    });
  };
  return {
    url: postgresUrl(server.socketDir, DATABASE),
    get pid() {
      return server.pid;
    },
    stop: () => (stopping ??= stop()),
  };
}

/** One old log is kept. */
async function rotateLog(file: string): Promise<void> {
  try {
    if ((await stat(file)).size > LOG_BYTES_MAX) await rename(file, `${file}.old`);
  } catch (error) {
    if (!isMissing(error)) throw error;
  }
}
