import { spawn } from "node:child_process";
import { once } from "node:events";
import { access, mkdir, readFile, rm } from "node:fs/promises";
import path from "node:path";
import Docker from "dockerode";
import type { Progress } from "../cli/progress.ts";
import { messageOf } from "../errors.ts";
import type { Logger } from "../log.ts";
import { canInstallPackages, installPackages } from "./apt.ts";
import { isMissing } from "./file-errors.ts";
import { tailOf } from "./log-tail.ts";
import { startLogged } from "./logged-process.ts";
import { pollUntil } from "./poll.ts";
import { commandLine } from "./process-identity.ts";
import { withProcessLock } from "./process-lock.ts";

const PING_TIMEOUT_MS = 5_000;
const START_TIMEOUT_MS = 60_000;
const START_INTERVAL_MS = 100;
/** dockerd is one for the machine, so the lock is too. Only root gets as far as taking it. */
const LOCK = "/run/deckhand-docker.lock";
const SYSTEM_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
/** Without recommendations, Debian's docker.io comes without the iptables that it can't do without. */
const PACKAGES = ["docker.io", "iptables"];
const PID_FILES = [
  { file: "/var/run/docker.pid", program: "dockerd" },
  { file: "/run/docker/containerd/containerd.pid", program: "containerd" },
];

export interface DockerEngineOptions {
  /** Where dockerd's log goes when it is started here. */
  home: string;
  /** `DOCKER_HOST`. Null means the default socket, and that an engine may be installed and started here. */
  dockerHost: string | null;
  log: Logger;
  progress: Progress;
  signal: AbortSignal;
}

/**
 * A client for a Docker engine that answers. Where none does, on Debian and Ubuntu as root, the engine is installed and
 * started; it stays when we end. Elsewhere this throws, with what to install.
 */
export async function ensureDockerEngine(options: DockerEngineOptions): Promise<Docker> {
  const { dockerHost, home, log, signal } = options;
  const answer = await ping(dockerHost, signal);
  if (answer.docker) return answer.docker;
  if (dockerHost !== null) {
    const what = `The Docker engine at DOCKER_HOST=${dockerHost} does not answer (${answer.reason}).`;
    throw new Error(`${what} Start it, or mend or unset DOCKER_HOST.`);
  }
  if (!(await canInstallPackages())) throw new Error(adviceFor(answer.reason));

  log.info({ reason: answer.reason }, "no Docker engine answers; starting one");
  await mkdir(home, { recursive: true });
  return withProcessLock(LOCK, signal, async () => {
    const meanwhile = await ping(null, signal);
    if (meanwhile.docker) return meanwhile.docker;
    if (!(await isInstalled("dockerd"))) {
      await installPackages(PACKAGES, options);
      // Where systemd runs, the package has started it.
      const started = await ping(null, signal);
      if (started.docker) return started.docker;
    }
    return options.progress.track("Starting the Docker engine", () =>
      startEngine(path.join(home, "dockerd.log"), signal),
    );
  });
}

/** Whether an engine answers there, without changing anything. */
export async function ping(
  dockerHost: string | null,
  signal: AbortSignal,
): Promise<{ docker: Docker; reason: null } | { docker: null; reason: string }> {
  // For other kinds of address the client library reads DOCKER_HOST and its companions for TLS itself.
  const socketPath = dockerHost?.startsWith("unix://") ? dockerHost.slice("unix://".length) : undefined;
  const docker = socketPath ? new Docker({ socketPath }) : new Docker();
  // The published types know only the form without options.
  const engine: { ping(options: { abortSignal: AbortSignal }): Promise<unknown> } = docker;
  try {
    await engine.ping({ abortSignal: AbortSignal.any([signal, AbortSignal.timeout(PING_TIMEOUT_MS)]) });
    return { docker, reason: null };
  } catch (error) {
    signal.throwIfAborted();
    return { docker: null, reason: messageOf(error) };
  }
}

/** What a person can do when no engine answers and none can be installed here. */
export function adviceFor(reason: string): string {
  if (reason.includes("EACCES")) {
    return `The Docker engine runs, but this user may not use it (${reason}). Join the \`docker\` group, or run as root.`;
  }
  return (
    `No Docker engine answers (${reason}). Install Docker Engine (https://docs.docker.com/engine/install/) and start it, ` +
    "or set DOCKER_HOST to one that runs. On Debian and Ubuntu, `./deckhand` run as root does this for you."
  );
}

async function startEngine(logFile: string, signal: AbortSignal): Promise<Docker> {
  const hasEnded = (await exists("/run/systemd/system")) ? await startUnit() : await startDaemon(logFile);
  const answers = async () => {
    const { docker } = await ping(null, signal);
    if (docker) return docker;
    if (hasEnded()) throw new Error(`dockerd ended while starting. The end of ${logFile}:\n${await tailOf(logFile)}`);
    return undefined;
  };
  return pollUntil("the Docker engine to answer", answers, {
    timeoutMs: START_TIMEOUT_MS,
    intervalMs: START_INTERVAL_MS,
    signal,
  });
}

type HasEnded = () => boolean;

async function startUnit(): Promise<HasEnded> {
  const [code] = await once(spawn("systemctl", ["start", "docker"], { stdio: "ignore" }), "exit");
  if (code !== 0) throw new Error("`systemctl start docker` failed. `journalctl -u docker` says why.");
  return () => false;
}

/** In a session of its own: it serves every deckhand on the machine, and Ctrl-C is not meant for it. */
async function startDaemon(logFile: string): Promise<HasEnded> {
  const running = await Promise.all(PID_FILES.map(({ file, program }) => isRunningOrRemove(file, program)));
  if (running[0]) return () => false;
  const { child } = await startLogged("env", [`PATH=${SYSTEM_PATH}`, "dockerd"], logFile, { detached: true });
  child.unref();
  return () => child.exitCode !== null || child.signalCode !== null;
}

/** A killed daemon leaves its number behind, and a new one refuses to start once another process has been given it. */
async function isRunningOrRemove(file: string, program: string): Promise<boolean> {
  const pid = await readPid(file);
  if (pid === null) return false;
  if ((await commandLine(pid))?.includes(program)) return true;
  await rm(file, { force: true });
  return false;
}

async function readPid(file: string): Promise<number | null> {
  try {
    return Number.parseInt(await readFile(file, "utf8"), 10) || null;
  } catch (error) {
    if (isMissing(error)) return null;
    throw error;
  }
}

async function isInstalled(program: string): Promise<boolean> {
  const places = await Promise.all(SYSTEM_PATH.split(":").map((dir) => exists(path.join(dir, program))));
  return places.includes(true);
}

async function exists(file: string): Promise<boolean> {
  try {
    await access(file);
    return true;
  } catch (error) {
    if (isMissing(error)) return false;
    throw error;
  }
}
