/**
 * A program: the worker role, which dies by its own hand where it is told to. An order is a file in the folder that is
 * its first argument, carried out once, by whichever worker comes to that point first: `<point>.die` has it killed there;
 * `<point>.tell` becomes `<point>.pid`, which names it.
 */
import { once } from "node:events";
import { rename, unlink, writeFile } from "node:fs/promises";
import path from "node:path";
import { silentProgress } from "../../../src/cli/progress.ts";
import { loadConfig } from "../../../src/config.ts";
import { isMissing } from "../../../src/embedded/file-errors.ts";
import type { CrashPointName } from "../../../src/harness/crash-points.ts";
import { createLog } from "../../../src/log.ts";
import { startDeckhand } from "../../../src/main.ts";

const ROOT = path.resolve(import.meta.dirname, "../../..");
const orders = process.argv[2] ?? "";

/** As the command line does: something left open must not keep the process. */
const LINGER_MS = 5_000;
const stopping = new AbortController();
process.once("SIGTERM", () => stopping.abort());

const config = loadConfig(ROOT);
const deckhand = await startDeckhand({
  config,
  roles: ["worker"],
  log: createLog(config.logLevel),
  progress: silentProgress,
  signal: stopping.signal,
  crashPoint,
});
process.stdout.write("The worker is up.\n");
await once(stopping.signal, "abort");
await deckhand.stop();
process.stderr.write("The worker has stopped.\n");
setTimeout(() => process.exit(), LINGER_MS).unref();

async function crashPoint(name: CrashPointName): Promise<void> {
  if (await given(() => unlink(path.join(orders, `${name}.die`)))) {
    process.kill(process.pid, "SIGKILL");
    await new Promise(() => undefined);
  }
  const told = path.join(orders, `${name}.tell`);
  const draft = path.join(orders, `${name}.${process.pid}`);
  if (await given(() => rename(told, draft))) {
    await writeFile(draft, String(process.pid));
    await rename(draft, path.join(orders, `${name}.pid`));
  }
}

/** False when there is no such order, or another worker was faster. */
async function given(take: () => Promise<void>): Promise<boolean> {
  try {
    await take();
    return true;
  } catch (error) {
    if (isMissing(error)) return false;
    throw error;
  }
}
