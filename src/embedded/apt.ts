import { mkdir, readdir, readFile, stat } from "node:fs/promises";
import path from "node:path";
import type { Progress } from "../cli/progress.ts";
import { isMissing } from "./file-errors.ts";
import { startLogged } from "./logged-process.ts";
import { pollUntil } from "./poll.ts";

const SYSTEM_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
const LISTS = "/var/lib/apt/lists";
const LISTS_AGE_MAX_MS = 24 * 60 * 60_000;
const LOCK_TIMEOUT_MS = 10 * 60_000;
const LOCK_INTERVAL_MS = 2_000;
const COMMAND_TIMEOUT_MS = 15 * 60_000;
/** What apt and dpkg say, in English as we run them, while another package manager is at work. */
const LOCK_HELD = /could not get lock|unable to acquire|is another process using it|locked by another process/i;

export interface AptOptions {
  /** Where the log goes. */
  home: string;
  progress: Progress;
  signal: AbortSignal;
}

/** Whether packages can be installed here without asking anyone: Debian or one of its children, as root. */
export async function canInstallPackages(): Promise<boolean> {
  if (process.platform !== "linux" || process.getuid?.() !== 0) return false;
  try {
    return /^ID(_LIKE)?=.*(debian|ubuntu)/m.test(await readFile("/etc/os-release", "utf8"));
  } catch (error) {
    if (isMissing(error)) return false;
    throw error;
  }
}

/**
 * Installs Debian packages without their recommendations. Waits while another package manager works, and mends what an
 * interrupted one has left. Does nothing to packages that are there.
 * @throws with the end of apt's output when it fails
 */
export async function installPackages(packages: string[], options: AptOptions): Promise<void> {
  await mkdir(options.home, { recursive: true });
  await options.progress.track(`Installing ${packages.join(", ")} with apt`, async () => {
    await runWhenUnlocked("dpkg", ["--configure", "-a"], options);
    if (await listsAreOld()) await runWhenUnlocked("apt-get", ["update"], options);
    await runWhenUnlocked("apt-get", ["install", "--yes", "--no-install-recommends", ...packages], options);
  });
}

async function listsAreOld(): Promise<boolean> {
  const lists = await readdir(LISTS);
  if (!lists.some((name) => name.includes("_Packages"))) return true;
  // The lists carry their server's date; the directory for downloads changes with each update.
  const times = await Promise.all(lists.map(async (name) => (await stat(path.join(LISTS, name))).mtimeMs));
  return Date.now() - Math.max(...times) > LISTS_AGE_MAX_MS;
}

async function runWhenUnlocked(program: string, args: string[], options: AptOptions): Promise<void> {
  let told = false;
  const attempt = async () => {
    const output = await runLogged(program, args, options);
    if (output === null) return true;
    if (!LOCK_HELD.test(output)) throw new Error(`\`${program} ${args.join(" ")}\` failed:\n${output}`);
    if (!told) void options.progress.track("Another package manager is at work; waiting for it", async () => {});
    told = true;
    return undefined;
  };
  await pollUntil("the other package manager", attempt, {
    timeoutMs: LOCK_TIMEOUT_MS,
    intervalMs: LOCK_INTERVAL_MS,
    signal: options.signal,
  });
}

/** Null when it went well, else the end of the output. */
async function runLogged(program: string, args: string[], { home, signal }: AptOptions): Promise<string | null> {
  const settings = [`PATH=${SYSTEM_PATH}`, "DEBIAN_FRONTEND=noninteractive", "LC_ALL=C"];
  const { exited, tail } = await startLogged("env", [...settings, program, ...args], path.join(home, "apt.log"), {
    signal: AbortSignal.any([signal, AbortSignal.timeout(COMMAND_TIMEOUT_MS)]),
  });
  return (await exited) === 0 ? null : tail();
}
