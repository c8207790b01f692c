import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { RetryableError } from "../../src/errors.ts";
import { Secret } from "../../src/secrets/secret.ts";
import { CredentialError } from "../../src/vaults/session-credentials.ts";
import { json } from "../fakes/loopback-http.ts";
import { type FakeOAuth, type FakeOAuthOptions, startFakeOAuth } from "../fakes/oauth-server.ts";
import { type McpCredentials, oauthCredential, openMcpCredentials } from "../support/mcp-credentials.ts";

const HOUR_MS = 3_600_000;
const ENDED_MS = -1_000;
const ENDS_SOON_MS = 30_000;

let rig: McpCredentials;
let servers: FakeOAuth[] = [];
let count = 0;

beforeAll(async () => {
  rig = await openMcpCredentials();
});
afterAll(() => rig.close());
afterEach(async () => {
  const open = servers;
  servers = [];
  await Promise.all(open.map((server) => server.close()));
});

async function credential(expiresInMs: number | null, options: FakeOAuthOptions = {}) {
  const oauth = await startFakeOAuth(options);
  servers.push(oauth);
  const given = oauthCredential(oauth, { url: `https://mcp-${++count}.example.com/mcp`, expiresInMs });
  return { oauth, ...given, ...(await rig.add(given.settings, given.secret)) };
}

const failure = async (token: Promise<unknown>): Promise<CredentialError> => {
  const error: unknown = await token.then(
    () => null,
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof CredentialError)) throw new Error("no CredentialError", { cause: error });
  return error;
};

describe("a token for an MCP server", () => {
  it("is the static one, until the server refuses it", async () => {
    const worker = rig.worker();
    const url = "https://static.example.com/mcp";
    const secret = "static-token-1234";
    const { id } = await rig.add(
      { type: "static_bearer", mcp_server_url: url },
      { type: "static_bearer", token: new Secret(secret) },
    );
    expect(await worker.token(url)).toBe(secret);
    expect(await worker.token(url, "an older one")).toBe(secret);
    const error = await failure(worker.token(url, secret));
    expect(error).toMatchObject({ credentialId: id, message: expect.stringContaining("Authorize again") });
    expect(await worker.token("https://nobody.example.com/")).toBeNull();
  });

  it("is used as it is while it lasts, and replaced when it ends within a minute", async () => {
    const lasting = await credential(HOUR_MS);
    const ending = await credential(ENDS_SOON_MS);
    const worker = rig.worker();
    expect(await worker.token(lasting.url)).toBe(lasting.accessToken);
    expect(lasting.oauth.requests).toEqual([]);
    const token = await worker.token(ending.url);
    expect(token).not.toBe(ending.accessToken);
    expect(ending.oauth.accepts(token ?? "")).toBe(true);
    expect(await worker.token(ending.url)).toBe(token);
    expect(ending.oauth.grants).toHaveLength(1);
  });

  it("is stored with the refresh token that came with it before anybody gets it, and that one works the next time", async () => {
    const { id, url, oauth } = await credential(ENDED_MS);
    const worker = rig.worker();
    const first = await worker.token(url);
    const stored = await rig.stored(id);
    expect(stored.accessToken).toBe(first);
    expect(Date.parse(stored.expiresAt ?? "")).toBeGreaterThan(Date.now() + HOUR_MS / 2);
    expect(stored.refreshingUntil).toBeNull();
    const second = await worker.token(url, first ?? "");
    expect(oauth.grants.map((form) => form.get("refresh_token"))[1]).toBe(stored.refreshToken);
    expect(await rig.worker().token(url)).toBe(second);
  });

  it("is refreshed once when many sessions in two workers want it at once", async () => {
    const { url, oauth } = await credential(ENDED_MS);
    const held = oauth.hold();
    const workers = [rig.worker(), rig.worker()];
    const tokens = workers.flatMap((worker) => [1, 2, 3, 4].map(() => worker.token(url)));
    await held.arrived;
    held.release();
    const got = new Set(await Promise.all(tokens));
    expect(got.size).toBe(1);
    expect(oauth.requests).toHaveLength(1);
  });

  it("is refreshed once when two workers were refused the same one, and the slower one takes what is stored", async () => {
    const { url, oauth, accessToken } = await credential(HOUR_MS);
    const [one, other] = [rig.worker(), rig.worker()];
    const fresh = await Promise.all([one.token(url, accessToken), other.token(url, accessToken)]);
    expect(fresh[0]).not.toBe(accessToken);
    expect(new Set(fresh).size).toBe(1);
    expect(await other.token(url, accessToken)).toBe(fresh[0]);
    expect(oauth.grants).toHaveLength(1);
  });

  it("is refreshed by another worker when the one that was at it is gone", async () => {
    const { url, oauth } = await credential(ENDED_MS);
    oauth.next(() => null);
    // Its claim ends right after it was made, as it does for others when a process dies.
    const dying = rig.worker({ now: () => Date.now() - 19_500 });
    const died = dying.token(url).catch(() => null);
    await expect.poll(() => oauth.requests.length).toBe(1);
    const token = await rig.worker().token(url);
    expect(oauth.accepts(token ?? "")).toBe(true);
    expect(oauth.grants).toHaveLength(1);
    await oauth.close();
    // The one that was taken for dead finds the other one's token instead of failing.
    expect(await died).toBe(token);
    servers = [];
  });

  it("that still works is used while another worker replaces it", async () => {
    const { url, oauth, accessToken } = await credential(ENDS_SOON_MS);
    const held = oauth.hold();
    const refreshing = rig.worker().token(url);
    await held.arrived;
    expect(await rig.worker().token(url)).toBe(accessToken);
    held.release();
    expect(await refreshing).not.toBe(accessToken);
    expect(oauth.requests).toHaveLength(1);
  });

  it("is not lost when the credential is renamed while it is on its way", async () => {
    const { id, url, oauth } = await credential(ENDED_MS);
    const held = oauth.hold();
    const refreshing = rig.worker().token(url);
    await held.arrived;
    await rig.pool.query("UPDATE vault_credentials SET display_name = 'new', version = version + 1 WHERE id = $1", [
      id,
    ]);
    held.release();
    const token = await refreshing;
    expect((await rig.stored(id)).accessToken).toBe(token);
    expect(oauth.accepts(token ?? "")).toBe(true);
  });
});

describe("a database that is away when tokens come", () => {
  it("gets them when it is back, for the refresh token that was used is void", async () => {
    const { id, url, oauth } = await credential(ENDED_MS);
    let failures = 2;
    const saveRefreshed: McpCredentials["store"]["saveRefreshed"] = async (...saved) => {
      failures -= 1;
      if (failures >= 0) throw new Error("connection refused");
      return rig.store.saveRefreshed(...saved);
    };
    const token = await rig.worker({ store: { saveRefreshed } }).token(url);
    expect((await rig.stored(id)).accessToken).toBe(token);
    expect(oauth.requests).toHaveLength(1);
  });
});

describe("a token endpoint that gives none", () => {
  it("is asked once after it refused, and the error says to authorize again", async () => {
    const { id, url, oauth, refreshToken } = await credential(ENDED_MS);
    oauth.voidRefresh(refreshToken);
    const worker = rig.worker();
    const error = await failure(worker.token(url));
    expect(error.message).toMatch(/invalid_grant.*Authorize again/);
    expect(error.cause).toBeUndefined();
    expect(error.message).not.toContain(refreshToken);
    expect(await rig.stored(id)).toMatchObject({ refreshingUntil: null, refreshRefusedAt: expect.any(Date) });
    await failure(rig.worker().token(url));
    expect(oauth.requests).toHaveLength(1);
  });

  it("does not matter while the old token works, refused or not", async () => {
    const refused = await credential(ENDS_SOON_MS);
    refused.oauth.voidRefresh(refused.refreshToken);
    const failing = await credential(ENDS_SOON_MS);
    failing.oauth.next(() => json(503, { error: "busy" }));
    const worker = rig.worker();
    for (const { url, accessToken, oauth } of [refused, failing]) {
      expect(await worker.token(url)).toBe(accessToken);
      expect(await worker.token(url)).toBe(accessToken);
      expect(oauth.requests).toHaveLength(1);
    }
  });

  it.each([
    ["answers 503", () => json(503, { error: "busy" })],
    ["answers 429", () => json(429, {})],
    ["answers with a page", () => ({ status: 200, headers: { "content-type": "text/html" }, body: "<h1>hello</h1>" })],
    ["sends elsewhere", () => ({ status: 302, headers: { location: "/elsewhere" } })],
  ])("and %s may give one the next time", async (_, answer) => {
    const { id, url, oauth } = await credential(ENDED_MS);
    oauth.next(answer);
    const error = await failure(rig.worker().token(url));
    expect(error.cause).toBeInstanceOf(RetryableError);
    expect(oauth.requests).toHaveLength(1);
    expect((await rig.stored(id)).refreshingUntil).toBeNull();
    expect(oauth.accepts((await rig.worker().token(url)) ?? "")).toBe(true);
  });
});
