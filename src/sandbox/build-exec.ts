import { once } from "node:events";
import { stripVTControlCharacters } from "node:util";
import type { Container } from "dockerode";
import { engineCall } from "./engine.ts";
import { demultiplexer } from "./frames.ts";

const OUTPUT_BYTES_KEPT = 64 * 1024;
const LINES_QUOTED = 20;
const QUOTED_CHARS_MAX = 4_000;

export interface ScriptEnd {
  exitCode: number;
  /** The last 64 KiB of both streams, as they came. */
  output: string;
}

export interface Script {
  /** For `sh -eu`. */
  script: string;
  args: readonly string[];
  env: readonly string[];
}

/**
 * Runs a script as the container's root, to its end.
 * @throws the engine's error or the signal's reason; the script then goes on until its container is removed
 */
export async function runScript(container: Container, command: Script, signal: AbortSignal): Promise<ScriptEnd> {
  const exec = await engineCall(
    "exec create",
    (abortSignal) =>
      container.exec({
        Cmd: ["sh", "-eu", "-c", command.script, "sh", ...command.args],
        Env: [...command.env],
        User: "0:0",
        AttachStdout: true,
        AttachStderr: true,
        abortSignal,
      }),
    { signal },
  );
  const stream = await engineCall("exec start", (abortSignal) => exec.start({ hijack: true, abortSignal }), { signal });
  const tail = keepTail();
  const take = demultiplexer(tail.add, tail.add);
  stream.on("data", take);
  try {
    await once(stream, "close", { signal });
  } catch (error) {
    signal.throwIfAborted();
    throw error;
  } finally {
    stream.destroy();
  }
  const { ExitCode } = await engineCall("exec inspect", (abortSignal) => exec.inspect({ abortSignal }), { signal });
  return { exitCode: ExitCode ?? -1, output: tail.text() };
}

/** The last lines of what a program printed, for people: no control sequences, no overwritten progress, no empty lines. Pure. */
export function lastLines(output: string): string {
  const lines = stripVTControlCharacters(output)
    .split("\n")
    .map((line) => printable(line.trimEnd().split("\r").at(-1) ?? ""))
    .filter((line) => line.trim() !== "");
  return lines.slice(-LINES_QUOTED).join("\n").slice(-QUOTED_CHARS_MAX);
}

/** A log that can't be trusted must not be able to hold what a database refuses or a terminal obeys. */
const printable = (line: string) => line.replaceAll(/[^\P{C}\t]/gu, "");

function keepTail() {
  let kept = Buffer.alloc(0);
  return {
    add(part: Buffer): void {
      const joined = Buffer.concat([kept, part]);
      kept = joined.length > OUTPUT_BYTES_KEPT ? Buffer.from(joined.subarray(-OUTPUT_BYTES_KEPT)) : joined;
    },
    text: () => kept.toString("utf8"),
  };
}
