import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import path from "node:path";
import { promisify } from "node:util";
import { z } from "zod";

const OUTPUT_BYTES_MAX = 1024 * 1024;
const SCRIPT = path.join(import.meta.dirname, "https-probe.mjs");

/** A way to the upstream. */
export interface Route {
  name: string;
  /** Where to connect to. */
  at: { path: string } | { host: string; port: number };
  /** Whether that is a proxy which has to be asked for a tunnel. */
  tunnel: boolean;
  /** File of the certificates to trust. */
  ca: string;
  authorization: string;
  /** What the answer has to hold. */
  expects: string;
}

export interface ProbeOptions {
  /** The upstream's name and port. */
  host: string;
  port: number;
  /** How many requests of each kind come before those that count. */
  warmUp: number;
  /** Requests that each make a connection of their own. */
  fresh: number;
  /** Requests over a connection that is kept. */
  kept: number;
  /** They take turns. */
  routes: readonly Route[];
}

const Times = z.record(z.string(), z.object({ fresh: z.array(z.number()), kept: z.array(z.number()) }));
/** In ms, of each route. */
export type Times = z.infer<typeof Times>;

/** In a process of its own, so that whoever measures takes no time from it. */
export async function probe(options: ProbeOptions, signal: AbortSignal): Promise<Times> {
  const { stdout } = await promisify(execFile)(process.execPath, [SCRIPT, JSON.stringify(options)], {
    maxBuffer: OUTPUT_BYTES_MAX,
    signal,
  });
  return timesIn(stdout);
}

/** A command for bash that does the same where it is run, and prints what `timesIn` reads. */
export async function probeCommand(options: ProbeOptions): Promise<string> {
  const script = await readFile(SCRIPT, "utf8");
  return `cat > /tmp/probe.mjs <<'END_OF_PROBE'\n${script}\nEND_OF_PROBE\nnode /tmp/probe.mjs '${JSON.stringify(options)}'`;
}

export function timesIn(printed: string): Times {
  if (!printed.trimStart().startsWith("{")) throw new Error(`The probe failed: ${printed.slice(0, 2_000)}`);
  return Times.parse(JSON.parse(printed));
}
