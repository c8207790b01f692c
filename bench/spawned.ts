import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { setTimeout as delay } from "node:timers/promises";

const OUTPUT_CHARS_MAX = 200_000;
const POLL_MS = 5;
const END_TIMEOUT_MS = 30_000;
const TAIL_CHARS = 2_000;

export interface Spawned {
  readonly pid: number;
  /** True until the process has ended. */
  readonly running: boolean;
  /** All it has printed, on stdout and stderr. */
  readonly output: string;
  /**
   * Waits for something on stdout or stderr and returns what the pattern's first group matched.
   * @throws with the output when the process ends first, or after `timeoutMs`
   */
  firstLine(pattern: RegExp, timeoutMs: number): Promise<string>;
  /** Resolves with the signal that ended it, or else with its exit code. */
  ended: Promise<NodeJS.Signals | number | null>;
  /**
   * Sends the signal and waits until it has ended. No error when it has already. One that does not end in time is killed,
   * and the last of what it printed goes to our stderr.
   */
  kill(signal: NodeJS.Signals): Promise<void>;
}

/** What the process finds in its environment otherwise than we do. */
export interface Environment {
  set?: Record<string, string>;
  unset?: readonly string[];
}

/** Starts a process whose stdin ends with ours, so that a program that watches it does not outlive us. */
export function startProcess(file: string, args: string[], { set = {}, unset = [] }: Environment = {}): Spawned {
  const changes = [
    ...unset.flatMap((name) => ["-u", name]),
    ...Object.entries(set).map(([name, value]) => `${name}=${value}`),
  ];
  // `env` becomes the program, so the process id and signals are the program's.
  const child: ChildProcess = spawn("env", [...changes, file, ...args], { stdio: "pipe" });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream?.on("data", (chunk: Buffer) => (output = (output + chunk.toString()).slice(-OUTPUT_CHARS_MAX)));
  }
  const ended = once(child, "exit").then(() => child.signalCode ?? child.exitCode);
  const running = () => child.exitCode === null && child.signalCode === null;
  return {
    pid: child.pid ?? -1,
    get running() {
      return running();
    },
    get output() {
      return output;
    },
    async firstLine(pattern, timeoutMs) {
      const until = Date.now() + timeoutMs;
      for (;;) {
        const found = pattern.exec(output)?.[1];
        if (found !== undefined) return found;
        if (!running()) throw new Error(`${file} ${args.join(" ")} ended early:\n${output}`);
        if (Date.now() > until)
          throw new Error(`${file} ${args.join(" ")} is not ready in ${timeoutMs} ms:\n${output}`);
        await delay(POLL_MS);
      }
    },
    ended,
    async kill(signal) {
      if (running()) child.kill(signal);
      const timer = setTimeout(() => {
        process.stderr.write(`${file} ${args.join(" ")} did not end after ${signal}:\n${output.slice(-TAIL_CHARS)}\n`);
        child.kill("SIGKILL");
      }, END_TIMEOUT_MS);
      await ended;
      clearTimeout(timer);
    },
  };
}
