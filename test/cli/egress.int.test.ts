import { execFile } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createGatewayRequestStore, type GatewayRequestRow } from "../../src/gateway/gateway-request-store.ts";
import { openDatabase } from "../../src/roles/open-database.ts";
import { startGatewayRequestPruning } from "../../workers/prune-gateway-requests.ts";
import { SILENT } from "../support/silent-log.ts";

const MAIN = path.resolve(import.meta.dirname, "../../src/cli/main.ts");
const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

const ROW: GatewayRequestRow = {
  workspaceId: "wrkspc_one",
  sessionId: "sesn_one",
  method: "GET",
  scheme: "https",
  host: "api.example",
  port: 443,
  path: "/v1",
  decision: "allow",
  rule: "allowed_hosts",
  status: 200,
  bytesOut: 10,
  bytesIn: 5_000_000_000,
  durationMs: 7,
  ageMs: 0,
  credentialIds: ["vcrd_1"],
};

let home: string;
/** As a server of this home has it open, on embedded Postgres. */
let server: Awaited<ReturnType<typeof openDatabase>>;
let store: ReturnType<typeof createGatewayRequestStore>;
beforeAll(async () => {
  home = await mkdtemp(path.join(tmpdir(), "deckhand-egress-"));
  server = await openDatabase({ databaseUrl: null, home }, SILENT, AbortSignal.any([]));
  store = createGatewayRequestStore(server.database.pool);
});
afterAll(async () => {
  await server.close();
  await rm(home, { recursive: true });
});

function egress(...args: string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  const env = { PATH: process.env["PATH"], DECKHAND_HOME: home };
  return new Promise((resolve) => {
    execFile(process.execPath, [MAIN, "egress", ...args], { env }, (error, stdout, stderr) => {
      resolve({ code: error ? Number(error.code) : 0, stdout, stderr });
    });
  });
}

const hostsOf = async (...args: string[]) => {
  const { stdout } = await egress(...args, "--json");
  return stdout
    .split("\n")
    .filter(Boolean)
    .map((line): unknown => JSON.parse(line).host);
};

describe("deckhand egress", () => {
  it("shows what was asked, of whom, and what became of it, latest last", async () => {
    expect((await egress()).stdout).toBe("Nothing is on record.\n");
    const evil = "/a\u001b]0;owned\u0007\u{1f480}";
    await store.insert([
      { ...ROW, host: "evil.example", path: evil, decision: "deny", rule: "host_not_allowed", status: 403 },
      { ...ROW, host: "first.example", ageMs: 2 * HOUR_MS },
      { ...ROW, host: "fd00::1", port: 22, method: "CONNECT", scheme: "tcp", path: null, status: null, ageMs: HOUR_MS },
      {
        ...ROW,
        host: "other.example",
        workspaceId: "wrkspc_two",
        sessionId: null,
        ageMs: 3 * DAY_MS,
        credentialIds: [],
      },
    ]);
    const { stdout } = await egress();
    const lines = stdout.trimEnd().split("\n");
    const cells = lines.map((line) => line.split(/ {2,}/).slice(1));
    expect(cells).toEqual([
      ["SESSION", "METHOD", "TARGET", "DECISION", "RULE", "STATUS", "OUT", "IN", "CREDENTIALS"],
      ["(build)", "GET", "https://other.example:443/v1", "allow", "allowed_hosts", "200", "10", "5000000000", "-"],
      [
        "sesn_one",
        "GET",
        "https://first.example:443/v1",
        "allow",
        "allowed_hosts",
        "200",
        "10",
        "5000000000",
        "vcrd_1",
      ],
      ["sesn_one", "CONNECT", "tcp://[fd00::1]:22", "allow", "allowed_hosts", "-", "10", "5000000000", "vcrd_1"],
      [
        ...["sesn_one", "GET", "https://evil.example:443/a\\u{1b}]0;owned\\u{7}\\u{1f480}", "deny", "host_not_allowed"],
        ...["403", "10", "5000000000", "vcrd_1"],
      ],
    ]);
    expect(new Set(lines.map((line) => line.search(/ (GET|CONNECT|METHOD) /))).size).toBe(1);
  });

  it("shows only what was asked for", async () => {
    expect(await hostsOf("--session", "sesn_one", "--limit", "2")).toEqual(["fd00::1", "evil.example"]);
    expect(await hostsOf("--workspace", "wrkspc_two")).toEqual(["other.example"]);
    expect(await hostsOf("--denied")).toEqual(["evil.example"]);
    expect(await hostsOf("--since", "90m")).toEqual(["fd00::1", "evil.example"]);
    expect(await hostsOf("--since", new Date(Date.now() - DAY_MS).toISOString())).toHaveLength(3);
  });

  it.each([
    [["--limit", "none"], "--limit"],
    [["--since", "yesterday"], "--since"],
    [["--sessions", "sesn_one"], "--sessions"],
  ])("says what is wrong with %j", async (args, named) => {
    const { code, stdout, stderr } = await egress(...args);
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
    expect(stderr).toContain(named);
  });
});

describe("the record of requests", () => {
  const left = async () => (await store.list({ ...ALL, limit: 20_000 })).length;
  const ALL = { sessionId: null, workspaceId: null, since: null, deniedOnly: false };

  /** What a worker does when it starts; stopping waits for it. */
  const pruneOnce = async (days: number) => {
    let more = true;
    const { promise, resolve } = Promise.withResolvers<void>();
    const prune = async (given: number) => {
      more = await store.prune(given);
      if (!more) resolve();
      return more;
    };
    const task = startGatewayRequestPruning({ store: { prune }, days, log: SILENT });
    if (days > 0) await promise;
    await task.stop();
  };

  it("loses what is older than it is kept, however much that is, and nothing else", async () => {
    const before = await left();
    const old = Array.from({ length: 12_000 }, () => ({ ...ROW, host: "old.example", ageMs: 91 * DAY_MS }));
    await store.insert([...old, { ...ROW, host: "kept.example", ageMs: 89 * DAY_MS }]);
    await pruneOnce(0);
    expect(await left()).toBe(before + 12_001);
    // Those from before have the lower ids, and are newer.
    await pruneOnce(90);
    expect(await left()).toBe(before + 1);
    await pruneOnce(1);
    expect((await store.list({ ...ALL, limit: 10 })).map(({ host }) => host)).not.toContain("kept.example");
  });
});
