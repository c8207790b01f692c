/** What a command may touch of the process it runs in. */
export interface CommandIo {
  /** The checkout. */
  root: string;
  /** Paths that the user gives are relative to this. */
  cwd: string;
  stdin: NodeJS.ReadStream;
  /** The command's result, and nothing else. */
  stdout: NodeJS.WriteStream;
  /** Progress, logs and errors. */
  stderr: NodeJS.WriteStream;
  /** Aborts at the first SIGINT or SIGTERM, with an `InterruptedError`. A second one ends the process at once. */
  signal: AbortSignal;
}

/** One word after `deckhand`. Its file is `commands/<word>.ts`, which exports it as `command`. */
export interface Command {
  /** One line for the list of commands. */
  summary: string;
  /** What `--help` prints, from `Usage: deckhand …` on. */
  usage: string;
  /**
   * Returns the exit code. Throws `UsageError`, or lets `parseArgs` throw, when the arguments make no sense; any other
   * error ends with its message on stderr and exit code 1. Leaves nothing running.
   */
  run(args: string[], io: CommandIo): Promise<number>;
}

/** The reason of `CommandIo.signal`. */
export class InterruptedError extends Error {
  override readonly name = "InterruptedError";
  /** 128 and the signal's number, as shells have it. */
  readonly exitCode: number;

  constructor(signal: "SIGINT" | "SIGTERM") {
    super(`Ended by ${signal}.`);
    this.exitCode = signal === "SIGINT" ? 130 : 143;
  }
}

/** The arguments make no sense. The message says which and why. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}
