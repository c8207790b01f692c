import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { type AptOptions, canInstallPackages, installPackages } from "./apt.ts";
import { isMissing } from "./file-errors.ts";

const run = promisify(execFile);

/** Makes sure that `redis-server` is on PATH: installs it on Debian and Ubuntu as root, else says what to install. */
export async function ensureRedisInstalled(options: AptOptions): Promise<void> {
  if (await isInstalled()) return;
  if (!(await canInstallPackages())) {
    throw new Error(
      "redis-server is not on PATH. Install Redis 6.2 or newer; the tests start their own server with it.",
    );
  }
  // The package's own service is left alone: it would take the default port of a developer's other projects.
  await installPackages(["redis-server"], options);
}

async function isInstalled(): Promise<boolean> {
  try {
    await run("redis-server", ["--version"]);
    return true;
  } catch (error) {
    if (isMissing(error)) return false;
    throw error;
  }
}
