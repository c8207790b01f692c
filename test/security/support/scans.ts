import { readdir, readFile } from "node:fs/promises";
import path from "node:path";
import { text } from "node:stream/consumers";
import { PassThrough } from "node:stream";
import type Anthropic from "@anthropic-ai/sdk";
import Docker from "dockerode";
import pg from "pg";
import { findInstallation } from "../../../bench/installation.ts";
import { isMissing } from "../../../src/embedded/file-errors.ts";
import type { Canaries } from "./canaries.ts";

const SANDBOX_SCAN = `printf '%s%s' "$HALF" "$OTHER_HALF" | grep -rlaF -f - --exclude-dir=proc --exclude-dir=sys / 2>/dev/null
for file in /proc/[0-9]*/environ /proc/[0-9]*/cmdline; do tr '\\0' '\\n' <$file 2>/dev/null; done |
  awk 'index($0, ENVIRON["HALF"] ENVIRON["OTHER_HALF"]) { n++ } END { print n + 0 }'`;

/** Of disks of sandboxes, whose files are looked at one by one elsewhere. */
const LARGE_BYTES = 128 * 1024 ** 2;

/** Where a scan looked, and where it found something. */
export interface Scanned {
  looked: number;
  found: string[];
}

/** Every row of every table, as text: bytes are in hex there. */
export async function scanDatabase(url: string, canaries: Canaries): Promise<Scanned> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    const tables = await client.query<{ name: string }>(
      "SELECT format('%I.%I', schemaname, tablename) AS name FROM pg_tables WHERE schemaname NOT IN ('pg_catalog', 'information_schema')",
    );
    const found: string[] = [];
    let looked = 0;
    for (const { name } of tables.rows) {
      const { rows } = await client.query<{ row: string }>(`SELECT each::text AS row FROM ${name} AS each`);
      looked += rows.length;
      const kinds = canaries.findIn(Buffer.from(rows.map(({ row }) => row).join("\n")));
      if (kinds.length > 0) found.push(`${name}: ${kinds.join(", ")}`);
    }
    return { looked, found };
  } finally {
    await client.end();
  }
}

/** Every file below a folder, the database's own among them. */
export async function scanFiles(folder: string, canaries: Canaries): Promise<Scanned> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const found: string[] = [];
  let looked = 0;
  for (const entry of entries.filter((one) => one.isFile())) {
    const file = path.join(entry.parentPath, entry.name);
    const bytes = await readFile(file).catch((error: unknown) => {
      if (isMissing(error)) return Buffer.alloc(0);
      throw error;
    });
    looked += 1;
    const isThere = bytes.length > LARGE_BYTES ? bytes.includes(canaries.mark) : canaries.isIn(bytes);
    if (isThere || bytes.includes("PRIVATE KEY-----")) found.push(file);
  }
  return { looked, found };
}

/** All that the API tells of its sessions, agents, environments, vaults and credentials. */
export async function scanApi(client: Anthropic, canaries: Canaries): Promise<Scanned> {
  const found: string[] = [];
  let looked = 0;
  const look = (what: unknown, name: string) => {
    looked += 1;
    const kinds = canaries.findIn(Buffer.from(JSON.stringify(what)));
    if (kinds.length > 0) found.push(`${name}: ${kinds.join(", ")}`);
  };
  for await (const session of client.beta.sessions.list()) {
    look(await client.beta.sessions.retrieve(session.id), session.id);
    for await (const event of client.beta.sessions.events.list(session.id)) look(event, `${session.id} ${event.type}`);
    for await (const resource of client.beta.sessions.resources.list(session.id))
      look(resource, `${session.id} ${resource.type}`);
  }
  for await (const vault of client.beta.vaults.list({ include_archived: true })) {
    look(vault, vault.id);
    for await (const one of client.beta.vaults.credentials.list(vault.id, { include_archived: true }))
      look(one, one.id);
  }
  for await (const agent of client.beta.agents.list()) look(agent, agent.id);
  for await (const environment of client.beta.environments.list()) look(environment, environment.id);
  return { looked, found };
}

/** Every sandbox there is, from outside: all its files and processes, as root and as the agent. */
export async function scanSandboxes(home: string, mark: string, deleted: string): Promise<Scanned> {
  const docker = new Docker();
  const all = await (await findInstallation(home)).containers();
  // That of a session which was deleted goes in its own time.
  const containers = all.filter(({ Names }) => !Names.some((name) => name.includes(deleted)));
  const half = mark.length / 2;
  const Env = [`HALF=${mark.slice(0, half)}`, `OTHER_HALF=${mark.slice(half)}`];
  const found = await Promise.all(
    containers.flatMap(({ Id, Names }) =>
      ["0:0", "1000:1000"].map(async (User) => {
        const container = docker.getContainer(Id);
        const exec = await container.exec({ Cmd: ["sh", "-c", SANDBOX_SCAN], Env, User, AttachStdout: true });
        const [stream, output] = [await exec.start({ hijack: true, stdin: false }), new PassThrough()];
        docker.modem.demuxStream(stream, output, output);
        stream.once("end", () => output.end());
        const printed = (await text(output)).trim();
        return printed === "0" ? [] : [`${Names[0]} as ${User}: ${printed}`];
      }),
    ),
  );
  return { looked: containers.length, found: found.flat() };
}

/** The audit rows of sandboxes' requests. */
export async function recordOfRequests(url: string) {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    const sql = "SELECT path, decision, rule, credential_ids FROM gateway_requests ORDER BY id";
    const { rows } = await client.query<{
      path: string | null;
      decision: string;
      rule: string;
      credential_ids: string[];
    }>(sql);
    return rows;
  } finally {
    await client.end();
  }
}
