import { mkdir, readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import { newId } from "../src/ids.ts";
import type { Sandbox, SandboxOp } from "../src/sandbox/sandbox.ts";
import { against, type Bench, type Figure } from "./figure.ts";
import { p50 } from "./percentiles.ts";
import { openSandboxHome } from "./sandbox-home.ts";
import { timed } from "./timed.ts";

const WARM_UP = 5;
const SAMPLES = 50;
const LINE = `${"x".repeat(1023)}\n`;
/** 1 MiB. */
const LINES = 1024;
const TEXT = LINE.repeat(LINES);
/** What the read tool shows at once: 256 KiB. */
const LINES_A_READ = 256;
const FILE = "/mnt/session/outputs/bench.txt";

/**
 * 1 MiB of text put into a sandbox by the write tool, and taken out of it by the read tool and as an output, against what
 * the host needs to write and read it itself in a folder that a container could have as a bind mount.
 */
export async function measureSandboxFiles(bench: Bench): Promise<Figure[]> {
  const { provider, shape } = await (await openSandboxHome(bench)).open(0);
  const sandbox = await provider.provision({ sessionId: newId("sesn"), shape }, bench.signal);
  const mounted = path.join(bench.dir, "mounted");
  await mkdir(mounted);
  const file = path.join(mounted, "bench.txt");

  bench.say(`${WARM_UP} + ${SAMPLES} files of 1 MiB each way`);
  const samples = { write: [], read: [], output: [], floorWrite: [], floorRead: [] } satisfies Record<string, number[]>;
  const taken: Record<keyof typeof samples, number[]> = samples;
  for (let at = 0; at < WARM_UP + SAMPLES; at++) {
    const measured = {
      floorWrite: await timed(() => writeFile(file, TEXT)),
      write: await timed(() => call(sandbox, { op: "write", file_path: FILE, content: TEXT }, bench.signal)),
      floorRead: await timed(() => readFile(file, "utf8")),
      read: await timed(() => readAll(sandbox, bench.signal)),
      output: await outputMs(sandbox, bench.signal),
    };
    if (at < WARM_UP) continue;
    for (const name of ["floorWrite", "write", "floorRead", "read", "output"] as const)
      taken[name].push(measured[name]);
  }
  const floor = "floor: the host's own, in a folder to be mounted";
  const [write, read] = [p50(taken.floorWrite), p50(taken.floorRead)];
  return [
    against("file_1mb.write", "ms", p50(taken.write), write, `p50 of the write tool, n = ${SAMPLES}; ${floor}`),
    against("file_1mb.read", "ms", p50(taken.read), read, `p50 of four reads one after the other; ${floor}`),
    against("file_1mb.output", "ms", p50(taken.output), read, `p50 of fetching it as an output; ${floor}`),
  ];
}

async function call(sandbox: Sandbox, op: SandboxOp, signal: AbortSignal): Promise<number> {
  const { content, isError } = await sandbox.call(newId("sevt"), op, signal);
  if (isError) throw new Error(`The ${op.op} tool failed: ${JSON.stringify(content).slice(0, 500)}`);
  return content.reduce((sum, part) => sum + (part.type === "text" ? part.text.length : 0), 0);
}

async function readAll(sandbox: Sandbox, signal: AbortSignal): Promise<void> {
  let chars = 0;
  for (let first = 1; first <= LINES; first += LINES_A_READ) {
    const view_range: [number, number] = [first, first + LINES_A_READ - 1];
    chars += await call(sandbox, { op: "read", file_path: FILE, view_range }, signal);
  }
  if (chars !== TEXT.length) throw new Error(`The read tool gave ${chars} of ${TEXT.length} characters.`);
}

/** Without the listing, which is one for all of a session's outputs. */
async function outputMs(sandbox: Sandbox, signal: AbortSignal): Promise<number> {
  const [file] = await sandbox.listOutputs(signal);
  if (file?.size !== TEXT.length) throw new Error("The file is not among the outputs.");
  return timed(async () => {
    for await (const _ of sandbox.readOutput(file, signal));
  });
}
