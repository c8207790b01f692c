import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { createInterface } from "node:readline";
import pg from "pg";
import { pino } from "pino";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { pollUntil } from "../../src/embedded/poll.ts";
import { type RunningPostgres, startPostgres } from "../../src/embedded/postgres.ts";
import { processIdentity } from "../../src/embedded/process-identity.ts";

const log = pino({ level: "silent" });
const signal = AbortSignal.any([]);

let home: string;
let started: RunningPostgres[];
beforeEach(async () => {
  home = await mkdtemp(path.join(os.tmpdir(), "deckhand-pg-"));
  started = [];
});
afterEach(async () => {
  for (const server of started) await server.stop();
  await rm(home, { recursive: true, force: true });
});

async function start(name = "postgres") {
  const server = await startPostgres({ dir: path.join(home, name), log, signal });
  started.push(server);
  return server;
}

async function query(url: string, sql: string): Promise<unknown[]> {
  const client = new pg.Client({ connectionString: url });
  client.on("error", () => {});
  try {
    await client.connect();
    return (await client.query(sql)).rows;
  } finally {
    await client.end();
  }
}

/** Another deckhand process with a server on the same directory. */
async function startElsewhere(name = "postgres"): Promise<{ holder: ChildProcess; pid: number }> {
  const script = path.join(import.meta.dirname, "hold-postgres.ts");
  const holder = spawn(process.execPath, [script, path.join(home, name)], { stdio: ["pipe", "pipe", "inherit"] });
  const [line] = await once(createInterface({ input: holder.stdout }), "line");
  return { holder, ...JSON.parse(String(line)) };
}

const isRunning = async (pid: number) => (await processIdentity(pid)) !== null;
const waitFor = (what: string, probe: () => Promise<boolean>) =>
  pollUntil(what, async () => (await probe()) || undefined, { timeoutMs: 20_000, signal });

describe("startPostgres", () => {
  it("gives a private, durable server with the database `deckhand`", async () => {
    const server = await start();
    const settings =
      "SELECT current_database() AS db, current_setting('fsync') AS fsync, current_setting('listen_addresses') AS tcp";
    expect(await query(server.url, settings)).toEqual([{ db: "deckhand", fsync: "on", tcp: "" }]);
    expect((await stat(path.join(home, "postgres"))).mode & 0o777).toBe(0o700);
    const uid = /^Uid:\s+(\d+)/m.exec(await readFile(`/proc/${server.pid}/status`, "utf8"))?.[1];
    expect(uid).not.toBe("0");
  });

  it("keeps rows over a stop and a start", async () => {
    const first = await start();
    await query(first.url, "CREATE TABLE t AS SELECT 42 AS n");
    await first.stop();
    expect(await isRunning(first.pid)).toBe(false);
    const second = await start();
    expect(await query(second.url, "SELECT n FROM t")).toEqual([{ n: 42 }]);
  });

  it("is shared by everyone in the directory, and ends with the last of them", async () => {
    const { holder, pid } = await startElsewhere();
    const joined = await start();
    expect(joined.pid).toBe(pid);
    holder.stdin?.write("stop\n");
    await once(holder, "exit");
    expect(await query(joined.url, "SELECT 1 AS one")).toEqual([{ one: 1 }]);
    await joined.stop();
    expect(await isRunning(pid)).toBe(false);
  });

  it("outlives a killed owner, and the next start takes it over and can stop it", async () => {
    const { holder, pid } = await startElsewhere();
    holder.kill("SIGKILL");
    await once(holder, "exit");
    const next = await start();
    expect(next.pid).toBe(pid);
    await next.stop();
    expect(await isRunning(pid)).toBe(false);
  });

  it("starts one server when several ask at once", async () => {
    const servers = await Promise.all([start(), start(), start()]);
    expect(new Set(servers.map(({ pid }) => pid)).size).toBe(1);
  });

  it("starts the server again after SIGKILL, on the same URL and with every committed row", async () => {
    const server = await start();
    await query(server.url, "CREATE TABLE t AS SELECT 42 AS n");
    const killed = server.pid;
    process.kill(killed, "SIGKILL");
    await waitFor("a new server", async () => server.pid !== killed);
    expect(await query(server.url, "SELECT n FROM t")).toEqual([{ n: 42 }]);
  });

  it("starts over a stale postmaster.pid whose number another process has been given", async () => {
    const first = await start();
    await first.stop();
    const lines = [process.pid, path.join(home, "postgres", "data"), 1, 5432, path.join(home, "postgres"), ""];
    await writeFile(path.join(home, "postgres", "data", "postmaster.pid"), lines.join("\n"));
    const second = await start();
    expect(await isRunning(second.pid)).toBe(true);
  });

  it("removes what an interrupted initdb has left, and puts aside data that is not a database", async () => {
    const dir = path.join(home, "postgres");
    await mkdir(path.join(dir, "data.unfinished-abc", "base"), { recursive: true });
    await mkdir(path.join(dir, "data"), { recursive: true });
    await writeFile(path.join(dir, "data", "PG_VERSION"), "18\n");
    const server = await start();
    expect(await query(server.url, "SELECT 1 AS one")).toEqual([{ one: 1 }]);
    const entries = await readdir(dir);
    expect(entries.filter((entry) => entry.startsWith("data.unfinished"))).toEqual([]);
    expect(entries.filter((entry) => entry.startsWith("data.unusable"))).toHaveLength(1);
  });

  it("runs two homes side by side", async () => {
    const [one, two] = await Promise.all([start("one"), start("two")]);
    expect(one.pid).not.toBe(two.pid);
    await query(one.url, "CREATE TABLE only_here (n int)");
    await expect(query(two.url, "SELECT * FROM only_here")).rejects.toThrow("does not exist");
  });

  it.each(["long ".repeat(20), 'a comma, and "quotes"'])(
    "works in a directory that can't hold a socket: %s",
    async (name) => {
      const server = await start(path.join(name, "deeper"));
      expect(await query(server.url, "SELECT 1 AS one")).toEqual([{ one: 1 }]);
      const socketDir = new URL(server.url).searchParams.get("host") ?? "";
      expect((await stat(socketDir)).mode & 0o777).toBe(0o700);
      await server.stop();
      await rm(socketDir, { recursive: true });
    },
  );

  it("works below a directory that is closed to other accounts", async () => {
    await mkdir(path.join(home, "closed"), { mode: 0o700 });
    const server = await start("closed/postgres");
    expect(await query(server.url, "SELECT 1 AS one")).toEqual([{ one: 1 }]);
  });

  it("rejects with the signal's reason and leaves no server when aborted while it starts", async () => {
    const aborted = AbortSignal.abort(new Error("changed my mind"));
    const dir = path.join(home, "postgres");
    await expect(startPostgres({ dir, log, signal: aborted })).rejects.toThrow("changed my mind");
    expect(await readdir(dir)).not.toContain("data");
  });
});
