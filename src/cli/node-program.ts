import { type ChildProcess, spawn, type StdioOptions } from "node:child_process";
import { once } from "node:events";
import path from "node:path";

export interface ProgramOptions {
  /** The checkout, whose programs these are and where they run. */
  root: string;
  signal: AbortSignal;
}

/** Runs a program that npm installed, on our own input and output. Returns its exit code. */
export async function runNodeProgram(name: string, args: string[], options: ProgramOptions): Promise<number> {
  return exitCodeOf(start(name, args, options, "inherit"));
}

/** Runs a program that npm installed and keeps what it prints, in the order it came. */
export async function captureNodeProgram(
  name: string,
  args: string[],
  options: ProgramOptions,
): Promise<{ exitCode: number; output: string }> {
  const child = start(name, args, options, ["ignore", "pipe", "pipe"]);
  let output = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding("utf8").on("data", (text: string) => {
      output += text;
    });
  }
  return { exitCode: await exitCodeOf(child), output };
}

function start(name: string, args: string[], { root, signal }: ProgramOptions, stdio: StdioOptions): ChildProcess {
  const script = path.join(root, "node_modules", ".bin", name);
  return spawn(process.execPath, [script, ...args], { cwd: root, stdio, signal });
}

async function exitCodeOf(child: ChildProcess): Promise<number> {
  const [code] = await once(child, "close");
  return Number(code ?? 1);
}
