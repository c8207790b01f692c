import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { promisify } from "node:util";
import { isMissing } from "./file-errors.ts";

const run = promisify(execFile);

/** The states in which a process no longer runs anything although its number is still taken. */
const DEAD_STATES = ["Z", "X"];

/**
 * A process as `<pid>.<start>`. The start time tells it from a later process that was given the same number.
 * Null when no such process runs; a zombie does not.
 */
export async function processIdentity(pid: number): Promise<string | null> {
  const start = process.platform === "linux" ? await linuxStart(pid) : await psField(pid, "lstart=");
  return start === null ? null : `${pid}.${start.replaceAll(/[^0-9A-Za-z]+/g, "-")}`;
}

export async function isAlive(identity: string): Promise<boolean> {
  return (await processIdentity(Number.parseInt(identity, 10))) === identity;
}

/** The arguments of a running process, separated by spaces. Null when no such process runs. */
export async function commandLine(pid: number): Promise<string | null> {
  if (process.platform !== "linux") return psField(pid, "args=");
  const raw = await readProc(`/proc/${pid}/cmdline`);
  return raw ? raw.replaceAll("\0", " ").trim() : null;
}

async function linuxStart(pid: number): Promise<string | null> {
  const stat = await readProc(`/proc/${pid}/stat`);
  if (stat === null) return null;
  // The second field is the program's name in parentheses and may hold anything, so count from the last one.
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return DEAD_STATES.includes(fields[0] ?? "X") ? null : (fields[19] ?? null);
}

async function readProc(file: string): Promise<string | null> {
  try {
    return await readFile(file, "utf8");
  } catch (error) {
    if (isMissing(error)) return null;
    throw error;
  }
}

async function psField(pid: number, field: string): Promise<string | null> {
  // ps ends with 1 when there is no such process.
  const { stdout } = await run("ps", ["-ww", "-o", field, "-p", String(pid)]).catch((error: { code?: unknown }) => {
    if (error.code === 1) return { stdout: "" };
    throw error;
  });
  return stdout.trim() || null;
}
