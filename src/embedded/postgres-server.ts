import { chown } from "node:fs/promises";
import pg from "pg";
import { messageOf } from "../errors.ts";
import { tailOf } from "./log-tail.ts";
import { startLogged } from "./logged-process.ts";
import { pollUntil } from "./poll.ts";
import type { PostgresBinaries } from "./postgres-binaries.ts";
import { ensureData, dataOwnerUid, type ServerFiles } from "./postgres-data.ts";
import { findPostmaster, type Postmaster } from "./postmaster-file.ts";
import { processIdentity } from "./process-identity.ts";
import { chooseServerAccount, runAs, type ServerAccount } from "./server-account.ts";
import { socketDirFor } from "./socket-dir.ts";
import { withClient } from "./with-client.ts";

/** Ours, on the embedded server. */
export const DATABASE = "deckhand";
/** Recovery after a crash replays the write-ahead log before the server answers. */
const READY_TIMEOUT_MS = 60_000;
const RELAUNCH_INTERVAL_MS = 50;
const STOP_TIMEOUT_MS = 30_000;
const CONNECT_TIMEOUT_MS = 5_000;
const MAX_CONNECTIONS = 200;
/** Left behind by the backends of a killed server for as long as they take to notice. */
const BACKENDS_REMAIN = "is still in use";

export function postgresUrl(socketDir: string, database: string): string {
  return `postgresql://postgres@localhost/${database}?host=${encodeURIComponent(socketDir)}`;
}

/** The server on these files, found running or started, and answering. The caller holds the lock on them. */
export async function ensureServer(
  files: ServerFiles,
  binaries: PostgresBinaries,
  signal: AbortSignal,
): Promise<Postmaster> {
  const running = await findPostmaster(files.data, signal);
  if (running) {
    await waitUntilReady(running, files, signal);
    return running;
  }
  const account = await chooseAccount(files, binaries);
  await ensureData(files, binaries.initdb, account);
  return pollUntil("the processes of a killed Postgres to end", () => launch(files, binaries, account, signal), {
    timeoutMs: READY_TIMEOUT_MS,
    intervalMs: RELAUNCH_INTERVAL_MS,
    signal,
  });
}

/** Cuts off the clients, writes everything to disk, ends the server. No error when none runs. */
export async function stopServer(files: ServerFiles): Promise<void> {
  const options = { timeoutMs: STOP_TIMEOUT_MS, signal: AbortSignal.any([]) };
  const running = await findPostmaster(files.data, options.signal);
  if (!running) return;
  process.kill(running.pid, "SIGINT");
  await pollUntil("Postgres to stop", async () => ((await processIdentity(running.pid)) ? undefined : true), options);
}

export async function ensureDatabase(socketDir: string): Promise<void> {
  await withClient(postgresUrl(socketDir, "postgres"), CONNECT_TIMEOUT_MS, async (client) => {
    const { rowCount } = await client.query("SELECT FROM pg_database WHERE datname = $1", [DATABASE]);
    if (rowCount === 0) await client.query(`CREATE DATABASE ${pg.escapeIdentifier(DATABASE)}`);
  });
}

async function chooseAccount(files: ServerFiles, binaries: PostgresBinaries): Promise<ServerAccount> {
  return chooseServerAccount({
    dataOwnerUid: await dataOwnerUid(files),
    prepare: ({ uid, gid }) => chown(files.dir, uid, gid),
    works: async (account) => {
      const test = ['"$1" --version && test -w "$2"', "sh", binaries.postgres, files.dir];
      return (await runAs(account, "sh", ["-c", ...test], "/dev/null")) === 0;
    },
  });
}

/** Undefined when processes of a server that was killed a moment ago still hold its memory: try again. */
async function launch(
  files: ServerFiles,
  binaries: PostgresBinaries,
  account: ServerAccount,
  signal: AbortSignal,
): Promise<Postmaster | undefined> {
  const socketDir = await socketDirFor(files.dir, account, ".s.PGSQL.5432");
  const settings = ["listen_addresses=", `unix_socket_directories=${socketDir}`, `max_connections=${MAX_CONNECTIONS}`];
  const args = ["-D", files.data, ...settings.flatMap((setting) => ["-c", setting])];
  const { file, args: argv, options } = account.invoke(binaries.postgres, args);
  // In a session of its own, so that Ctrl-C in the terminal ends us first; it also outlives us when we are killed.
  const { child, tail } = await startLogged(file, argv, files.log, { ...options, cwd: "/", detached: true });
  child.unref();
  const server = { pid: child.pid ?? -1, socketDir };
  try {
    await waitUntilReady(server, files, signal);
    return server;
  } catch (error) {
    if ((await tail()).includes(BACKENDS_REMAIN)) return undefined;
    child.kill("SIGINT");
    throw error;
  }
}

async function waitUntilReady({ pid, socketDir }: Postmaster, files: ServerFiles, signal: AbortSignal): Promise<void> {
  let lastError: unknown;
  const answers = async () => {
    try {
      await withClient(postgresUrl(socketDir, "postgres"), CONNECT_TIMEOUT_MS, (client) => client.query("SELECT 1"));
      return true;
    } catch (error) {
      lastError = error;
      if (await processIdentity(pid)) return undefined;
      throw new Error(`Postgres ended while starting:\n${await tailOf(files.log)}`, { cause: error });
    }
  };
  await pollUntil("Postgres to answer", answers, { timeoutMs: READY_TIMEOUT_MS, signal }).catch(
    async (error: unknown) => {
      if (!(error instanceof DOMException && error.name === "TimeoutError")) throw error;
      throw new Error(`${error.message} ${messageOf(lastError)}\n${await tailOf(files.log)}`, { cause: error });
    },
  );
}
