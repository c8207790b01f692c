import { type FSWatcher, watch } from "node:fs";
import { chmod, mkdir, readdir, rename, rm, stat } from "node:fs/promises";
import path from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { messageOf } from "../errors.ts";
import type { Logger } from "../log.ts";
import type { SlotServer } from "./slot-server.ts";

export interface SlotListeners {
  /** Lets requests that are under way end for `graceMs`, then cuts. */
  stop(graceMs: number): Promise<void>;
}

export interface SlotListenersOptions {
  /** Holds a directory for each slot, named for it. */
  root: string;
  createServer: (slot: string) => SlotServer;
  log: Logger;
}

interface Listener {
  slotServer: SlotServer;
  /** Of the socket's file: another one there is another process's. */
  inode: number;
}

const SLOT = /^[0-9a-f]{8,64}$/;
const SOCKET = "gateway.sock";
const SOCKET_MODE = 0o666;
const RESCAN_MS = 3_000;

/**
 * Serves a socket in each directory of the root, from when it appears to when it goes. The directories are all there is to
 * know, so another process takes over where one has stopped. Resolves when those that are there already are served.
 */
export async function listenInSlots({ root, createServer, log }: SlotListenersOptions): Promise<SlotListeners> {
  const listeners = new Map<string, Listener>();
  const stopping = new AbortController();
  let scanning: Promise<void> | null = null;
  let again = false;

  async function openSlot(slot: string): Promise<void> {
    const slotServer = createServer(slot);
    try {
      const inode = await listenAt(slotServer, path.join(root, slot));
      // Such as no file descriptor left for one more connection: without a listener it would end the process.
      slotServer.server.on("error", (error) =>
        log.error({ slot, error: messageOf(error) }, "a sandbox's socket failed"),
      );
      listeners.set(slot, { slotServer, inode });
    } catch (error) {
      await slotServer.close(0);
      log.error({ slot, error: messageOf(error) }, "no socket for a sandbox");
    }
  }

  async function closeSlot(slot: string, graceMs: number): Promise<void> {
    const listener = listeners.get(slot);
    listeners.delete(slot);
    await listener?.slotServer.close(graceMs);
  }

  async function scanOnce(): Promise<void> {
    const entries = await readdir(root, { withFileTypes: true });
    const slots = new Set(
      entries.filter((entry) => entry.isDirectory() && SLOT.test(entry.name)).map(({ name }) => name),
    );
    const gone = [...listeners.keys()].filter((slot) => !slots.has(slot));
    await Promise.all(gone.map((slot) => closeSlot(slot, 0)));
    for (const slot of slots) {
      const listener = listeners.get(slot);
      if (listener && (await inodeOf(path.join(root, slot, SOCKET))) === null) await closeSlot(slot, 0);
      if (!listeners.has(slot) && !stopping.signal.aborted) await openSlot(slot);
    }
  }

  async function scanUntilQuiet(): Promise<void> {
    do {
      again = false;
      await scanOnce().catch((error: unknown) => log.error({ error: messageOf(error) }, "sandboxes can't be listed"));
    } while (again && !stopping.signal.aborted);
    scanning = null;
  }

  function scan(): Promise<void> {
    again = true;
    return (scanning ??= scanUntilQuiet());
  }

  /** For what the system forgot to tell, and for sockets that were lost. */
  async function rescan(): Promise<void> {
    while (!stopping.signal.aborted) {
      await delay(RESCAN_MS, undefined, { signal: stopping.signal }).catch(() => undefined);
      if (!stopping.signal.aborted) await scan();
    }
  }

  await mkdir(root, { recursive: true, mode: 0o700 });
  const watcher = watchFor(root, () => void scan(), log);
  await scan();
  const rescanning = rescan();

  return {
    async stop(graceMs) {
      stopping.abort();
      watcher?.close();
      await Promise.all([scanning, rescanning]);
      await Promise.all(
        [...listeners].map(async ([slot, { inode }]) => {
          const file = path.join(root, slot, SOCKET);
          if ((await inodeOf(file)) === inode) await rm(file, { force: true });
          await closeSlot(slot, graceMs);
        }),
      );
    },
  };
}

/**
 * Listens under another name first: the socket appears complete, in place of a stale one, and closing it later removes
 * that other name, not a successor's socket.
 */
async function listenAt({ server }: SlotServer, directory: string): Promise<number> {
  const draft = path.join(directory, `.${process.pid.toString(36)}`);
  await rm(draft, { force: true });
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  server.once("error", reject);
  server.listen(draft, resolve);
  await promise;
  server.removeListener("error", reject);
  await chmod(draft, SOCKET_MODE);
  const { ino } = await stat(draft);
  await rename(draft, path.join(directory, SOCKET));
  return ino;
}

const inodeOf = (file: string) =>
  stat(file).then(
    ({ ino }) => ino,
    () => null,
  );

function watchFor(root: string, onChange: () => void, log: Logger): FSWatcher | null {
  try {
    const watcher = watch(root, { persistent: false }, onChange);
    watcher.on("error", (error) => log.warn({ error: messageOf(error) }, "folder of sandboxes not watched"));
    return watcher;
  } catch (error) {
    log.warn({ error: messageOf(error) }, "folder of sandboxes not watched");
    return null;
  }
}
