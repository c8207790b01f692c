import { afterEach, describe, expect, it } from "vitest";
import type { RefreshSettings } from "../../src/schemas/credential.ts";
import { Secret } from "../../src/secrets/secret.ts";
import { exchange } from "../../src/vaults/mcp-oauth-exchange.ts";
import { type HttpAnswer, json } from "../fakes/loopback-http.ts";
import { type FakeOAuth, type FakeOAuthOptions, startFakeOAuth } from "../fakes/oauth-server.ts";
import { loopbackFetch } from "../support/mcp-credentials.ts";

const NOW_MS = Date.parse("2026-11-22T12:00:00Z");
/** What form-encoding changes: a colon would end the name, a percent sign would be decoded. */
const ODD = { clientId: "app:1 / é", clientSecret: "s+e c%20r:et&=canary" };

let oauth: FakeOAuth;
afterEach(() => oauth.close());

async function start(options: FakeOAuthOptions = {}): Promise<FakeOAuth> {
  oauth = await startFakeOAuth(options);
  return oauth;
}

function refresh(refreshToken: string, settings: Partial<RefreshSettings> = {}, clientSecret = oauth.clientSecret) {
  const grant = {
    settings: {
      client_id: oauth.clientId,
      token_endpoint: oauth.tokenEndpoint,
      token_endpoint_auth: { type: oauth.auth },
      scope: null,
      resource: null,
      ...settings,
    },
    refreshToken: new Secret(refreshToken),
    clientSecret: oauth.auth === "none" ? null : new Secret(clientSecret),
  };
  return exchange(loopbackFetch, grant, () => NOW_MS);
}

describe("an access token is asked for", () => {
  it.each(["none", "client_secret_basic", "client_secret_post"] as const)(
    "with %s, and a client that is not known is refused",
    async (auth) => {
      const { issue, accepts } = await start({ auth, ...ODD, expiresIn: 600 });
      const granted = await refresh(issue().refreshToken);
      if (granted.type !== "granted") throw new Error(JSON.stringify(granted));
      expect(accepts(granted.accessToken.reveal())).toBe(true);
      expect(granted.expiresAt).toEqual(new Date(NOW_MS + 600_000));

      const wrong = auth === "none" ? { client_id: "another" } : {};
      const refused = await refresh(issue().refreshToken, wrong, "another secret");
      expect(refused).toMatchObject({ type: "refused", response: { status_code: 401 } });
      expect(refused).toMatchObject({ message: expect.stringContaining("(invalid_client)") });
    },
  );

  it("with the scope and the resource where they are set, and without where they are not", async () => {
    const { issue, grants } = await start({ rotates: false });
    const { refreshToken } = issue();
    await refresh(refreshToken, { scope: "read write", resource: "https://mcp.example.com/" });
    await refresh(refreshToken, { scope: "" });
    expect(grants.map((form) => [form.get("scope"), form.get("resource")])).toEqual([
      ["read write", "https://mcp.example.com/"],
      [null, null],
    ]);
  });

  it("and the old refresh token stays where no other one comes, and its end is open where none is told", async () => {
    const { issue, next } = await start({ rotates: false });
    expect(await refresh(issue().refreshToken)).toMatchObject({ type: "granted", refreshToken: null });
    next(() => json(200, { access_token: "abc", expires_in: "soon" }));
    expect(await refresh("any")).toMatchObject({ type: "granted", expiresAt: null });
  });
});

describe("an answer without a token", () => {
  it.each<[string, string, HttpAnswer]>([
    ["a refresh token that is void", "refused", json(400, { error: "invalid_grant" })],
    ["a client that may not", "refused", json(403, {})],
    ["an error that says it is none", "refused", json(200, { error: "bad_refresh_token" })],
    ["trouble that is over soon", "failed", json(400, { error: "temporarily_unavailable" })],
    ["too many requests", "failed", json(429, {})],
    ["an endpoint in trouble", "failed", json(502, { error: "invalid_grant" })],
    ["a page", "failed", { status: 200, body: "<html>" }],
    ["a token that is none", "failed", json(200, { access_token: "two\r\nlines" })],
    ["a token too long to be looked for", "failed", json(200, { access_token: "x".repeat(8_193) })],
  ])("because of %s counts as %s", async (_, type, answer) => {
    (await start()).next(() => answer);
    expect(await refresh("any")).toMatchObject({ type, response: { status_code: answer.status } });
  });

  it("because of a redirect is not followed with secrets in hand", async () => {
    const { next, requests } = await start();
    next(() => ({ status: 307, headers: { location: "/elsewhere" } }));
    expect(await refresh("any")).toMatchObject({ type: "failed", response: { status_code: 307 } });
    expect(requests).toHaveLength(1);
  });

  it("is shown without what was sent, and without tokens nobody has seen", async () => {
    const { next } = await start({ auth: "client_secret_basic", ...ODD });
    next(({ headers, body }) => json(500, { sent: [headers, body], refresh_token: "canary-unseen" }));
    const failed = await refresh("canary-refresh/+");
    expect(failed).toMatchObject({ type: "failed", response: { body: expect.stringContaining("grant_type") } });
    const shown = JSON.stringify(failed);
    expect(shown).not.toMatch(/canary/);
    expect(shown).not.toContain(
      Buffer.from(new URLSearchParams({ _: ODD.clientSecret }).toString())
        .toString("base64")
        .slice(4, -4),
    );
    expect(shown).not.toMatch(/Basic YX[A-Za-z0-9+/=]{40,}/);
  });
});
