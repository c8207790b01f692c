import { ConfigError } from "../config.ts";
import { AppError, messageOf } from "../errors.ts";
import { type Command, type CommandIo, InterruptedError, UsageError } from "./command.ts";

const EXIT_FAILURE = 1;
const EXIT_USAGE = 2;

/** Commands by name. Each is imported only when it is asked for. */
export type CommandTable = Record<string, () => Promise<{ command: Command }>>;

/** Runs the command that `argv` names and returns the exit code. Never rejects. */
export async function dispatch(argv: string[], commands: CommandTable, io: CommandIo): Promise<number> {
  const [name, ...args] = argv;
  try {
    if (name === undefined || name === "help" || name === "--help" || name === "-h") {
      const text = await overview(commands);
      (name === undefined ? io.stderr : io.stdout).write(text);
      return name === undefined ? EXIT_USAGE : 0;
    }
    const load = Object.hasOwn(commands, name) ? commands[name] : undefined;
    if (!load) throw new UsageError(`there is no command \`${name}\`. There are: ${Object.keys(commands).join(", ")}.`);
    const { command } = await load();
    if (asksForHelp(args)) {
      io.stdout.write(`${command.usage.trim()}\n`);
      return 0;
    }
    return await command.run(args, io);
  } catch (error) {
    const reason: unknown = io.signal.reason;
    if (reason instanceof InterruptedError) return reason.exitCode;
    io.stderr.write(`deckhand: ${describe(error)}\n`);
    if (!isUsageError(error)) return EXIT_FAILURE;
    io.stderr.write(
      `See \`deckhand ${name !== undefined && Object.hasOwn(commands, name) ? `${name} ` : ""}--help\`.\n`,
    );
    return EXIT_USAGE;
  }
}

async function overview(commands: CommandTable): Promise<string> {
  const names = Object.keys(commands);
  const width = Math.max(...names.map((name) => name.length));
  const lines = names.map(async (name) => `  ${name.padEnd(width)}  ${(await commands[name]?.())?.command.summary}`);
  return `Usage: deckhand <command> [options]\n\n${(await Promise.all(lines)).join("\n")}\n\nEach has its own --help.\n`;
}

/** What follows `--` is data. */
function asksForHelp(args: string[]): boolean {
  const end = args.indexOf("--");
  return args.slice(0, end === -1 ? undefined : end).some((arg) => arg === "--help" || arg === "-h");
}

function isUsageError(error: unknown): boolean {
  if (error instanceof UsageError) return true;
  return error instanceof TypeError && "code" in error && String(error.code).startsWith("ERR_PARSE_ARGS_");
}

/** A message where it was written to be read. For a mistake of ours also where it happened. */
function describe(error: unknown): string {
  if (!(error instanceof Error) || isUsageError(error) || error instanceof ConfigError || error instanceof AppError) {
    return messageOf(error);
  }
  const ours = [TypeError, ReferenceError, RangeError, SyntaxError].some((type) => error instanceof type);
  return (ours && error.stack) || error.message;
}
