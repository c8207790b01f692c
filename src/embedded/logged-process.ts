import { type ChildProcess, spawn, type SpawnOptions } from "node:child_process";
import { once } from "node:events";
import { open } from "node:fs/promises";
import { tailOf } from "./log-tail.ts";

export interface LoggedProcess {
  child: ChildProcess;
  /** The exit code, or -1 when a signal ended it. Rejects when `options.signal` ended it. */
  exited: Promise<number>;
  /** The end of what it has printed, without what was in the log before. */
  tail(): Promise<string>;
}

/** Starts a program whose output goes to the end of `logFile`, also after we have ended. Rejects when it can't start. */
export async function startLogged(
  program: string,
  args: string[],
  logFile: string,
  options: Omit<SpawnOptions, "stdio"> & { stdin?: "ignore" | "pipe" } = {},
): Promise<LoggedProcess> {
  const { stdin = "ignore", ...rest } = options;
  const log = await open(logFile, "a");
  try {
    const start = (await log.stat()).size;
    const child = spawn(program, args, { ...rest, stdio: [stdin, log.fd, log.fd] });
    const exited = once(child, "exit").then(([code]) => Number(code ?? -1));
    // Whoever does not wait for the end does not want to hear of it either.
    exited.catch(() => {});
    await once(child, "spawn");
    return { child, exited, tail: () => tailOf(logFile, start) };
  } finally {
    await log.close();
  }
}
