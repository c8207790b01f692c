import { once } from "node:events";
import { readFile, statfs } from "node:fs/promises";
import { createServer } from "node:net";
import path from "node:path";
import { errorCode, isMissing } from "../../embedded/file-errors.ts";
import type { CheckContext, Finding } from "./finding.ts";

const GB = 1_000_000_000;
/** An image, the containers made from it and a database fit into the first; the second is comfortable. */
const DISK_FAIL_GB = 4;
const DISK_WARN_GB = 10;
const HEALTH_TIMEOUT_MS = 2_000;
const CLOCK_WARN_MS = 2_000;

export async function checkNode(): Promise<Finding[]> {
  return [{ state: "ok", subject: "Node", detail: `${process.version} (${process.execPath})` }];
}

export async function checkPackages({ root }: CheckContext): Promise<Finding[]> {
  const [wanted, installed] = await Promise.all([
    readFile(path.join(root, "package-lock.json"), "utf8"),
    readOptional(path.join(root, "node_modules", ".deckhand-package-lock.json")),
  ]);
  if (wanted === installed) return [{ state: "ok", subject: "Packages", detail: "as in package-lock.json" }];
  return [
    {
      state: "warn",
      subject: "Packages",
      detail: "not installed from this package-lock.json",
      mend: "Run any ./deckhand command: it installs them.",
    },
  ];
}

export async function checkDisk({ config }: CheckContext): Promise<Finding[]> {
  return [await diskFinding("Disk (state)", config.home)];
}

/** Free space where `dir` is or will be. */
export async function diskFinding(subject: string, dir: string): Promise<Finding> {
  try {
    const { bavail, bsize } = await statfs(dir);
    const freeGb = (bavail * bsize) / GB;
    const finding = { subject, detail: `${freeGb.toFixed(1)} GB free at ${dir}` };
    if (freeGb >= DISK_WARN_GB) return { ...finding, state: "ok" };
    return {
      ...finding,
      state: freeGb < DISK_FAIL_GB ? "fail" : "warn",
      mend: `Free some: ${DISK_WARN_GB} GB is comfortable.`,
    };
  } catch (error) {
    if (!isMissing(error) || path.dirname(dir) === dir) throw error;
    return diskFinding(subject, path.dirname(dir));
  }
}

/**
 * How far a server's clock is from this machine's. Between them, credentials run out and certificates begin.
 * @param asked when the question went out; it may have been answered at any time since
 */
export function clockFinding(whose: string, theirs: Date, asked: Date): Finding {
  const subject = "Clock";
  const now = Date.now();
  const offMs = theirs.getTime() > now ? theirs.getTime() - now : Math.max(0, asked.getTime() - theirs.getTime());
  if (offMs <= CLOCK_WARN_MS) return { state: "ok", subject, detail: `as that of ${whose}` };
  const detail = `${Math.round(offMs / 1000)} s from that of ${whose}`;
  return { state: "warn", subject, detail, mend: "Let NTP set both: which of them is right can't be told from here." };
}

export async function checkPort({ config: { host, port }, signal }: CheckContext): Promise<Finding[]> {
  const subject = "Port";
  const place = `${host}:${port}`;
  const problem = await listenProblem(host, port);
  if (problem === null) return [{ state: "ok", subject, detail: `${place} is free` }];
  if (problem !== "EADDRINUSE") {
    return [
      { state: "fail", subject, detail: `${place} can't be listened on (${problem})`, mend: "Set HOST and PORT." },
    ];
  }
  if (await isDeckhand(host, port, signal)) return [{ state: "ok", subject, detail: `${place} is in use by Deckhand` }];
  return [{ state: "fail", subject, detail: `${place} is in use by another program`, mend: "End it, or set PORT." }];
}

export async function checkModelKey({ config }: CheckContext): Promise<Finding[]> {
  const subject = "Model";
  const { anthropic, openAi } = config;
  const set = [
    ...(anthropic.apiKey ? ["ANTHROPIC_API_KEY is set"] : []),
    ...(openAi ? [`${openAi.models.map(({ id }) => id).join(", ")} at ${openAi.baseUrl}`] : []),
  ];
  if (set.length > 0) return [{ state: "info", subject, detail: set.join("; ") }];
  const detail = "neither ANTHROPIC_API_KEY nor OPENAI_BASE_URL is set: only the scripted model is there";
  return [{ state: "info", subject, detail, mend: "Set one of them for a real one." }];
}

async function listenProblem(host: string, port: number): Promise<string | null> {
  const server = createServer();
  try {
    const listening = once(server, "listening");
    server.listen(port, host);
    await listening;
    return null;
  } catch (error) {
    return errorCode(error) ?? String(error);
  } finally {
    server.close();
  }
}

async function isDeckhand(host: string, port: number, signal: AbortSignal): Promise<boolean> {
  const limit = AbortSignal.any([signal, AbortSignal.timeout(HEALTH_TIMEOUT_MS)]);
  try {
    const response = await fetch(`http://${host}:${port}/healthz`, { signal: limit });
    return response.ok || response.status === 503;
  } catch {
    // Whatever it is, it does not answer as we do.
    signal.throwIfAborted();
    return false;
  }
}

async function readOptional(file: string): Promise<string | null> {
  try {
    return await readFile(file, "utf8");
  } catch (error) {
    if (isMissing(error)) return null;
    throw error;
  }
}
