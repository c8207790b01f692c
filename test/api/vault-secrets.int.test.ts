import { randomBytes } from "node:crypto";
import { Writable } from "node:stream";
import fc from "fast-check";
import { pino } from "pino";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { rawHeaders, startApi, type TestApi } from "../support/api.ts";

/** Part of every secret that is sent here. */
const CANARY = `canary${randomBytes(12).toString("hex")}`;

const logged: string[] = [];
const answered: string[] = [];
const statuses = new Set<number>();

let api: TestApi;
let vaultId: string;
beforeAll(async () => {
  const stream = new Writable({
    write(chunk, _encoding, done) {
      logged.push(String(chunk));
      done();
    },
  });
  api = await startApi({ log: pino({ level: "trace" }, stream) });
  vaultId = (await api.client.beta.vaults.create({ display_name: "canaries" })).id;
});
afterAll(() => api.stop());

/** Keeps everything that comes back. */
async function send(method: string, path: string, body?: string): Promise<{ id?: string }> {
  const response = await fetch(`${api.baseURL}/v1/vaults${path}`, {
    method,
    headers: { ...rawHeaders(api), ...(body !== undefined && { "content-type": "application/json" }) },
    ...(body !== undefined && { body }),
  });
  const text = await response.text();
  statuses.add(response.status);
  answered.push(JSON.stringify([...response.headers]), text);
  return JSON.parse(text) as { id?: string };
}

let serial = 0;
const auths = (): Record<string, unknown>[] => {
  serial += 1;
  const secret = `${CANARY}-${serial}`;
  return [
    { type: "static_bearer", mcp_server_url: `https://s${serial}.example.com`, token: secret },
    {
      type: "environment_variable",
      secret_name: `TOKEN_${serial}`,
      secret_value: secret,
      networking: { type: "limited", allowed_hosts: ["api.example.com"] },
    },
    {
      type: "mcp_oauth",
      mcp_server_url: `https://o${serial}.example.com`,
      access_token: secret,
      expires_at: "2100-01-01T00:00:00Z",
      refresh: {
        client_id: "client",
        refresh_token: secret,
        token_endpoint: "https://o.example.com/token",
        token_endpoint_auth: { type: "client_secret_post", client_secret: secret },
      },
    },
  ];
};

/** A body that is wrong in one place: another value for a field, a secret where none belongs, or cut off. */
const spoiled = fc
  .record({
    kind: fc.constantFrom(0, 1, 2),
    at: fc.nat(),
    value: fc.oneof(fc.jsonValue(), fc.constantFrom(CANARY, `${CANARY}\n`, [CANARY], { type: CANARY })),
    cut: fc.option(fc.integer({ min: 1, max: 60 })),
  })
  .map(({ kind, at, value, cut }) => {
    const auth = auths()[kind] ?? {};
    const fields = Object.keys(auth);
    const text = JSON.stringify({ auth: { ...auth, [fields[at % fields.length] ?? "type"]: value } });
    return cut === null ? text : text.slice(0, -cut);
  });

const leaks = (texts: string[]) => texts.filter((text) => text.includes(CANARY));

describe("a secret that was put into a vault", () => {
  it("is in no answer and no log of any route, whether the request was good, bad or cut off", async () => {
    for (const auth of auths()) {
      const { id } = await send("POST", `/${vaultId}/credentials`, JSON.stringify({ auth, display_name: "x" }));
      expect(id).toMatch(/^vcrd_/);
      const path = `/${vaultId}/credentials/${id}`;
      await send("POST", `/${vaultId}/credentials`, JSON.stringify({ auth }));
      await send("GET", path);
      const { type, token, secret_value, access_token, refresh } = auth;
      const changed = JSON.stringify({ auth: { type, token, secret_value, access_token } });
      await send("POST", path, changed);
      await send("POST", path, JSON.stringify({ auth: { ...auth, refresh, type: "static_bearer" } }));
      await send("GET", `/${vaultId}/credentials?include_archived=true`);
      await send("POST", `/vlt_none/credentials`, JSON.stringify({ auth }));
      await send("POST", `${path}/archive`);
      await send("POST", path, changed);
      await send("DELETE", path);
    }
    await fc.assert(
      fc.asyncProperty(spoiled, async (body) => {
        await send("POST", `/${vaultId}/credentials`, body);
        await send("POST", `/${vaultId}/credentials/vcrd_none`, body);
      }),
      { numRuns: 60 },
    );
    expect(statuses).toEqual(new Set([200, 400, 404, 409]));
    expect(leaks(answered)).toEqual([]);
    expect(leaks(logged)).toEqual([]);
  });

  it("is not in the database as it was sent", async () => {
    for (const auth of auths()) await send("POST", `/${vaultId}/credentials`, JSON.stringify({ auth }));
    const { rows } = await api.pool.query(
      `SELECT c::text || encode(c.secret, 'escape') || encode(v.data_key, 'escape') AS text
       FROM vault_credentials c JOIN vaults v ON v.id = c.vault_id WHERE c.secret IS NOT NULL`,
    );
    const texts = rows.map(({ text }: { text: string }) => text);
    expect(texts.length).toBeGreaterThanOrEqual(3);
    expect(leaks(texts)).toEqual([]);
  });

  it("is not in what a failure of ours leaves in the log", async () => {
    const before = logged.length;
    await api.pool.query("ALTER TABLE vault_credentials RENAME COLUMN settings TO lost");
    for (const auth of auths()) await send("POST", `/${vaultId}/credentials`, JSON.stringify({ auth }));
    expect(statuses).toContain(500);
    expect(logged.slice(before).join("")).toContain("request failed");
    expect(leaks([...answered, ...logged])).toEqual([]);
  });
});
