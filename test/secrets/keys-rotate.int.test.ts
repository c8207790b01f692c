import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import type { Database } from "../../src/database.ts";
import { openCipher } from "../../src/roles/installation-cipher.ts";
import { openMasterKey } from "../../src/roles/master-key.ts";
import { openDatabase } from "../../src/roles/open-database.ts";
import { createVaultParts } from "../../src/roles/vault-parts.ts";
import { createEncryptedColumnStore, ENCRYPTED_COLUMNS } from "../../src/secrets/encrypted-column-store.ts";
import { createLocalCipher, keyIdOf } from "../../src/secrets/local-cipher.ts";
import { newMasterKey } from "../../src/secrets/master-key.ts";
import type { SecretCipher } from "../../src/secrets/secret-cipher.ts";
import { Secret } from "../../src/secrets/secret.ts";
import { createUnmigratedDatabase, type TestDatabase } from "../support/database.ts";
import { SILENT } from "../support/silent-log.ts";

const MAIN = path.resolve(import.meta.dirname, "../../src/cli/main.ts");
const run = promisify(execFile);
const NEVER = AbortSignal.any([]);
const OWNER = "wrkspc_test";

let testDatabase: TestDatabase;
let opened: { database: Database; close(): Promise<void> };
let home: string;
beforeAll(async () => {
  home = await mkdtemp(path.join(tmpdir(), "deckhand-keys-"));
  testDatabase = await createUnmigratedDatabase();
  opened = await openDatabase({ databaseUrl: testDatabase.url, home }, SILENT, NEVER);
});
afterAll(async () => {
  await opened.close();
  await testDatabase.drop();
  await rm(home, { recursive: true });
});

const settings = () => ({ masterKey: null, masterKeysPrevious: [], home });
const currentId = async () => keyIdOf((await openMasterKey(settings())).current);

async function keys(args: string[], more: Record<string, string> = {}) {
  const env = { PATH: process.env["PATH"], DECKHAND_HOME: home, DATABASE_URL: testDatabase.url, ...more };
  try {
    return { code: 0, ...(await run(process.execPath, [MAIN, "keys", ...args], { env })) };
  } catch (error) {
    const { code, stdout, stderr } = error as { code: number; stdout: string; stderr: string };
    return { code, stdout, stderr };
  }
}

const Uses = z.array(z.object({ place: z.string(), keyId: z.string(), key: z.string(), rows: z.number() }));
const uses = async (more?: Record<string, string>) =>
  Uses.parse(JSON.parse((await keys(["status", "--json"], more)).stdout));

/** A row in each of the tables, with a secret that says where it is. */
const INSERTS: Record<string, string> = {
  session_resources: `INSERT INTO session_resources (id, workspace_id, session_id, mount_path, token) VALUES ('R', '${OWNER}', 'S', '/repo', $1)`,
  slack_installations: "INSERT INTO slack_installations (id, enterprise, ciphertext) VALUES ('T01', false, $1)",
  teams_consents:
    "INSERT INTO teams_consents (id, chat_thread_key, file_id, filename, size_bytes, upload) VALUES ('C', 't', 'f', 'n', 1, $1)",
  gateway_authority: "INSERT INTO gateway_authority (id, certificate, private_key) VALUES (1, 'pem', $1)",
};
const CONTEXTS = [
  "session_resources/R/token",
  "slack_installations/T01/ciphertext",
  "teams_consents/C/upload",
  "gateway_authority/1/private_key",
];

async function insertSecrets(cipher: SecretCipher): Promise<void> {
  const { pool } = opened.database;
  await pool.query(
    `INSERT INTO sessions (id, workspace_id, agent_id, agent_version, agent, environment_id, thread_id, metadata, usage)
     VALUES ('S', '${OWNER}', 'a', 1, '{}', 'e', 'th', '{}', '{}')`,
  );
  for (const context of CONTEXTS) {
    const [table = ""] = context.split("/");
    await pool.query(INSERTS[table] ?? "", [await cipher.encrypt(Buffer.from(context), context)]);
  }
}

async function readSecrets(cipher: SecretCipher): Promise<string[]> {
  const read = CONTEXTS.map(async (context) => {
    const [table, id, column] = context.split("/");
    const { rows } = await opened.database.pool.query(`SELECT ${column} AS bytes FROM ${table} WHERE id::text = $1`, [
      id,
    ]);
    return Buffer.from(await cipher.decrypt(rows[0].bytes, context)).toString();
  });
  return Promise.all(read);
}

describe("deckhand keys", () => {
  it("puts everything under a new key of the home, beside a process that runs and one that starts", async () => {
    const running = await openCipher(settings());
    await insertSecrets(running);
    const { vaults, credentials, store } = createVaultParts(opened.database, running);
    const vault = await vaults.create(OWNER, { display_name: "v" });
    const auth = { type: "static_bearer" as const, mcp_server_url: "https://mcp.example.com", token: "bearer-1" };
    const credential = await credentials.create(OWNER, vault.id, { auth });
    const oldId = await currentId();
    expect((await uses()).map(({ keyId, key }) => [keyId, key])).toEqual(
      ENCRYPTED_COLUMNS.map(() => [oldId, "current"]),
    );
    const [oldKey] = (await readFile(path.join(home, "master-key"), "utf8")).split("\n");

    const rotated = await keys(["rotate"]);
    expect(rotated).toMatchObject({ code: 0, stderr: "" });
    for (const { table, column } of ENCRYPTED_COLUMNS) {
      expect(rotated.stdout).toMatch(new RegExp(`^${table}\\.${column} +1 encrypted again$`, "m"));
    }
    const newId = await currentId();
    expect(newId).not.toBe(oldId);
    expect((await uses()).map(({ keyId, key }) => [keyId, key])).toEqual(
      ENCRYPTED_COLUMNS.map(() => [newId, "current"]),
    );
    const previous = path.join(home, "master-key.previous");
    expect(await readFile(previous, "utf8")).toBe(`${oldKey}\n`);
    for (const file of [previous, path.join(home, "master-key")]) expect((await stat(file)).mode & 0o777).toBe(0o600);

    expect(await readSecrets(running)).toEqual(CONTEXTS);
    expect(await readSecrets(await openCipher(settings()))).toEqual(CONTEXTS);
    const { current } = await openMasterKey(settings());
    expect(await readSecrets(createLocalCipher(current))).toEqual(CONTEXTS);
    const found = await store.find(OWNER, vault.id, credential.id);
    expect(found?.secret.type === "static_bearer" && found.secret.token.reveal()).toBe("bearer-1");
    expect(rotated.stdout + JSON.stringify(await uses())).not.toContain(oldKey);
  });

  it("ends what was begun before it makes another key, and leaves alone what it can't read", async () => {
    const { pool } = opened.database;
    const before = await currentId();
    const { previous } = await openMasterKey(settings());
    const [late] = previous;
    if (!late) throw new Error("there is no earlier key");
    const [session = "", slack = ""] = CONTEXTS;
    const written = await createLocalCipher(late).encrypt(Buffer.from(session), session);
    await pool.query("UPDATE session_resources SET token = $1", [written]);
    const foreign = await createLocalCipher(new Secret(newMasterKey())).encrypt(Buffer.from("x"), slack);
    await pool.query("UPDATE slack_installations SET ciphertext = $1", [foreign]);
    expect((await uses()).map(({ key }) => key)).toEqual(["current", "previous", "unknown", "current", "current"]);

    const rotated = await keys(["rotate"]);
    expect(rotated.code).toBe(1);
    expect(rotated.stdout).toMatch(/slack_installations\.ciphertext +1 can't be read/);
    expect(await currentId()).toBe(before);
    expect((await uses()).map(({ key }) => key)).toEqual(["current", "current", "unknown", "current", "current"]);
    const { rows } = await pool.query("SELECT ciphertext FROM slack_installations");
    expect(Buffer.from(rows[0].ciphertext).equals(Buffer.from(foreign))).toBe(true);
    await pool.query("DELETE FROM slack_installations");
  });

  it("makes no other key while an earlier one is kept, but for one that was interrupted before it had made any", async () => {
    const before = await currentId();
    const files = { current: path.join(home, "master-key"), previous: path.join(home, "master-key.previous") };
    const kept = await readFile(files.previous, "utf8");
    const again = await keys(["rotate"]);
    expect(again).toMatchObject({ code: 0, stderr: "" });
    expect(again.stdout).toMatch(/no new key is made[^]*delete .*master-key\.previous/);
    expect(await currentId()).toBe(before);
    expect(await readFile(files.previous, "utf8")).toBe(kept);

    await writeFile(files.previous, await readFile(files.current));
    expect(await keys(["rotate"])).toMatchObject({ code: 0, stderr: "" });
    expect(await currentId()).not.toBe(before);
  });

  it("puts everything under DECKHAND_MASTER_KEY, of what DECKHAND_MASTER_KEY_PREVIOUS can read, and makes no key", async () => {
    const next = newMasterKey();
    const file = await readFile(path.join(home, "master-key"), "utf8");
    const given = { DECKHAND_MASTER_KEY: next, DECKHAND_MASTER_KEY_PREVIOUS: `${newMasterKey()}, ${file.trim()}` };
    expect((await uses(given)).map(({ key }) => key)).toEqual(Array(4).fill("previous"));
    expect(await keys(["rotate"], given)).toMatchObject({ code: 0, stderr: "" });
    const keyId = keyIdOf(new Secret(next));
    const after = await uses({ DECKHAND_MASTER_KEY: next });
    expect(after).toHaveLength(4);
    expect(after.map((use) => [use.keyId, use.key])).toEqual(after.map(() => [keyId, "current"]));
    expect(await readFile(path.join(home, "master-key"), "utf8")).toBe(file);
  });

  it("writes over nothing that another process wrote meanwhile", async () => {
    const { pool } = opened.database;
    const [old, next] = [new Secret(newMasterKey()), new Secret(newMasterKey())];
    const [context = ""] = CONTEXTS;
    const write = async (text: string) =>
      pool.query("UPDATE session_resources SET token = $1", [
        await createLocalCipher(old).encrypt(Buffer.from(text), context),
      ]);
    await write("first");
    const cipher = createLocalCipher(next, [old]);
    const slow: SecretCipher = {
      ...cipher,
      async encrypt(plaintext, where) {
        if (where === context && Buffer.from(plaintext).toString() === "first") await write("second");
        return cipher.encrypt(plaintext, where);
      },
    };
    const store = createEncryptedColumnStore(pool);
    await store.reencrypt(slow, NEVER);
    const { rows } = await pool.query("SELECT token FROM session_resources");
    expect(Buffer.from(await cipher.decrypt(rows[0].token, context)).toString()).toBe("second");
    await expect(store.exclusively(() => store.exclusively(async () => "both"))).rejects.toThrow(/Another process/);
    expect(await store.exclusively(async () => "again")).toBe("again");
  });
});
