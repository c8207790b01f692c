import type Anthropic from "@anthropic-ai/sdk";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { startApi, type TestApi } from "../support/api.ts";
import { type HttpAnswer, json } from "../fakes/loopback-http.ts";
import { type FakeMcp, startFakeMcp } from "../fakes/mcp-server.ts";
import { type FakeOAuth, startFakeOAuth } from "../fakes/oauth-server.ts";

let api: TestApi;
let vaultId: string;
let oauth: FakeOAuth;
let mcp: FakeMcp;

beforeAll(async () => {
  api = await startApi();
});
afterAll(() => api.stop());
beforeEach(async () => {
  vaultId = (await api.client.beta.vaults.create({ display_name: "tests" })).id;
  oauth = await startFakeOAuth({ auth: "client_secret_post", clientSecret: "client-secret-canary" });
  mcp = await startFakeMcp({ accepts: oauth.accepts });
});
afterEach(() => Promise.all([oauth.close(), mcp.close()]));

const add = async (auth: Anthropic.Beta.Vaults.CredentialCreateParams["auth"]) =>
  (await api.client.beta.vaults.credentials.create(vaultId, { auth })).id;

const addOAuth = async (refreshToken: string | null, accessToken: string) =>
  add({
    type: "mcp_oauth",
    mcp_server_url: mcp.url,
    access_token: accessToken,
    refresh: refreshToken === null ? null : { ...refreshing(), refresh_token: refreshToken },
  });
const refreshing = () => ({
  client_id: oauth.clientId,
  token_endpoint: oauth.tokenEndpoint,
  token_endpoint_auth: { type: oauth.auth, client_secret: oauth.clientSecret } as const,
});
const validate = (id: string, client = api.client) =>
  client.beta.vaults.credentials.mcpOAuthValidate(id, { vault_id: vaultId });

const UNAUTHORIZED = {
  status_code: 401,
  content_type: "application/json",
  body_truncated: false,
  body: expect.any(String),
};

describe("a credential is validated", () => {
  it("by asking its server for its tools, and tells who was asked about what and when", async () => {
    const { accessToken, refreshToken } = oauth.issue();
    const id = await addOAuth(refreshToken, accessToken);
    const validation = await validate(id);
    expect(validation).toEqual({
      type: "vault_credential_validation",
      credential_id: id,
      vault_id: vaultId,
      status: "valid",
      has_refresh_token: true,
      mcp_probe: null,
      refresh: null,
      validated_at: expect.any(String),
    });
    expect(Date.now() - Date.parse(validation.validated_at)).toBeLessThan(60_000);
    expect(oauth.requests).toEqual([]);
  });

  it("after one refresh where the server answers 401, and what was granted is kept", async () => {
    const { accessToken, refreshToken } = oauth.issue();
    oauth.voidAccess(accessToken);
    const id = await addOAuth(refreshToken, accessToken);
    expect(await validate(id)).toMatchObject({
      status: "valid",
      mcp_probe: null,
      refresh: { status: "succeeded", http_response: null },
    });
    expect(await validate(id)).toMatchObject({ status: "valid", refresh: null });
    expect(oauth.grants).toHaveLength(1);
  });

  it("as invalid where the server refuses the new token too", async () => {
    const { refreshToken } = oauth.issue();
    const id = await addOAuth(refreshToken, "access-token-of-nobody");
    mcp.answer("initialize", () => json(401, {}));
    expect(await validate(id)).toMatchObject({
      status: "invalid",
      mcp_probe: { method: "initialize", http_response: { ...UNAUTHORIZED, body: "{}" } },
      refresh: { status: "succeeded", http_response: null },
    });
    expect(oauth.grants).toHaveLength(1);
  });

  it.each<[string, string, string, (() => HttpAnswer) | "gone"]>([
    ["invalid", "failed", "refuses", () => json(400, { error: "invalid_grant", sent: "client-secret-canary" })],
    ["unknown", "failed", "is in trouble", () => json(503, { sent: "client-secret-canary" })],
    ["unknown", "connect_error", "is not there", "gone"],
  ])("as %s (%s) where the token endpoint %s", async (status, refresh, _, answer) => {
    const id = await addOAuth(oauth.issue().refreshToken, "access-token-of-nobody");
    if (answer === "gone") await oauth.close();
    else oauth.next(answer);
    const validation = await validate(id);
    expect(validation).toMatchObject({
      status,
      mcp_probe: { method: "initialize", http_response: UNAUTHORIZED },
      refresh: {
        status: refresh,
        http_response:
          answer === "gone" ? null : { status_code: answer().status, body: expect.stringContaining("****") },
      },
    });
    expect(JSON.stringify(validation)).not.toContain("canary");
    if (answer === "gone") oauth = await startFakeOAuth();
  });

  it("as invalid where there is nothing to refresh it with, and a static one never has that", async () => {
    const refresh = { status: "no_refresh_token", http_response: null };
    const invalid = { status: "invalid", has_refresh_token: false, mcp_probe: { method: "initialize" }, refresh };
    expect(await validate(await addOAuth(null, "access-token-of-nobody"))).toMatchObject(invalid);
    const other = await startFakeMcp({ accepts: (token) => token === "static-token" });
    const staticToken = await add({ type: "static_bearer", mcp_server_url: other.url, token: "static-token" });
    expect(await validate(staticToken)).toMatchObject({ status: "valid", has_refresh_token: false });
    other.answer("tools/list", () => json(403, {}));
    expect(await validate(staticToken)).toMatchObject({
      status: "invalid",
      mcp_probe: { method: "tools/list", http_response: { status_code: 403 } },
      refresh: null,
    });
    await other.close();
  });

  it("as unknown where the server says nothing about it", async () => {
    const { accessToken, refreshToken } = oauth.issue();
    const id = await addOAuth(refreshToken, accessToken);
    mcp.answer("tools/list", () => json(500, { error: "oops" }));
    expect(await validate(id)).toMatchObject({
      status: "unknown",
      mcp_probe: { method: "tools/list", http_response: { status_code: 500, body: '{"error":"oops"}' } },
      refresh: null,
    });
  });

  it("only for its own workspace, and only where it is for a server", async () => {
    const { accessToken } = oauth.issue();
    const id = await addOAuth(null, accessToken);
    await expect(validate(id, api.stranger)).rejects.toMatchObject({ status: 404 });
    await expect(validate("vcrd_unknown")).rejects.toMatchObject({ status: 404 });
    const variable = await add({
      type: "environment_variable",
      secret_name: "API_TOKEN",
      secret_value: "variable-canary",
      networking: { type: "unrestricted" },
    });
    await expect(validate(variable)).rejects.toMatchObject({ status: 400 });
    await api.client.beta.vaults.credentials.archive(id, { vault_id: vaultId });
    await expect(validate(id)).rejects.toMatchObject({ status: 404 });
    expect(mcp.calls).toEqual([]);
  });
});
